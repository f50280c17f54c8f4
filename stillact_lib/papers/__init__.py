"""A package a paper. Each cites its paper and lists its files in the order of the method."""
