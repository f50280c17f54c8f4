"""What a frame or clip becomes: decoded frames, optical flow, its encodings and pictures, edges, shards."""
