"""Chapter 04's networks: their shapes and parameter counts worked out by hand, their wiring measured by gradients."""

import numpy as np
import pytest
import torch
from torch import nn
from torchvision.models import ResNet18_Weights, resnet18
from torchvision.models.optical_flow import Raft_Small_Weights
from torchvision.models.segmentation import DeepLabV3_ResNet50_Weights
from trained_weights import needs_weights

from stillact_lib.errors import StillactError
from stillact_lib.networks.alexnet import BNAlexNet
from stillact_lib.networks.flow_classifier import MotionContentNet
from stillact_lib.networks.im2flow_unet import Im2FlowUNet, TrainedEncoderUNet
from stillact_lib.networks.pretrained import IMAGENET_MEAN, IMAGENET_STD
from stillact_lib.networks.trained_encoder import TrainedEncoder, parameter_groups
from stillact_lib.networks.walker import CaffeInput, WalkerNet, fc8_to_grid
from stillact_lib.vision.foreground import segment_foreground
from stillact_lib.vision.optical_flow import consecutive_flow


def parameters(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def trace_shapes(net: nn.Module, stages: nn.ModuleList, image: torch.Tensor) -> list[tuple[int, ...]]:
    shapes: list[tuple[int, ...]] = []
    hooks = [stage.register_forward_hook(lambda _m, _i, out: shapes.append(tuple(out.shape[1:]))) for stage in stages]
    net(image)
    for hook in hooks:
        hook.remove()
    return shapes


def test_unet_has_the_paper_s_stages() -> None:
    with torch.device("meta"):
        net = Im2FlowUNet()
        image = torch.empty(2, 3, 256, 256)
    widths = [64, 128, 256, 512, 512, 512, 512, 512]
    sides = [128, 64, 32, 16, 8, 4, 2, 1]
    assert trace_shapes(net, net.encoder, image) == [(w, s, s) for w, s in zip(widths, sides, strict=True)]
    outwards = list(zip([*widths[:-1][::-1], 3], [*sides[:-1][::-1], 256], strict=True))
    assert trace_shapes(net, net.decoder, image) == [(w, s, s) for w, s in outwards]

    inputs = [3, *widths[:-1]]
    encoder = sum(16 * a * b for a, b in zip(inputs, widths, strict=True)) + sum(2 * w for w in widths[1:])
    decoder = 16 * 512 * 512 + sum(16 * 2 * a * b for a, b in zip(widths[:-1], inputs[:-1], strict=True))
    decoder += sum(2 * w for w in widths[:-1])  # batch normalisation of every decoder stage but the last
    assert parameters(net) == encoder + decoder == 54_414_976


def test_dilated_unet_keeps_the_inner_half_at_one_size() -> None:
    with torch.device("meta"):
        net = Im2FlowUNet(dilated=True)
        image = torch.empty(2, 3, 256, 256)
    widths = [64, 128, 256, 512, 512, 512, 512, 512]
    sides = [128, 64, 32, 16, 16, 16, 16, 16]
    assert trace_shapes(net, net.encoder, image) == [(w, s, s) for w, s in zip(widths, sides, strict=True)]
    assert trace_shapes(net, net.decoder, image)[-1] == (3, 256, 256)
    strided = 16 * (3 * 64 + 64 * 128 + 128 * 256 + 256 * 512)
    dilated = 9 * 4 * 512 * 512
    upwards = 9 * (512 * 512 + 3 * 1024 * 512) + 16 * (1024 * 256 + 512 * 128 + 256 * 64 + 128 * 3)
    normalisation = 2 * (sum(widths[1:]) + sum(widths[:-1]))
    assert parameters(net) == strided + dilated + upwards + normalisation == 34_229_888


@pytest.mark.parametrize(("dilated", "count"), [(False, 4_627_648), (True, 2_821_312)])
def test_small_unet_runs_and_stays_within_tanh(dilated: bool, count: int) -> None:
    net = Im2FlowUNet(image_size=64, base_width=32, max_width=192, dilated=dilated)
    assert parameters(net) == count
    image = torch.rand(4, 3, 64, 64) * 2 - 1
    with torch.autocast("cpu", torch.bfloat16):
        flow_image = net(image.contiguous(memory_format=torch.channels_last))
    assert flow_image.shape == (4, 3, 64, 64)
    assert flow_image.dtype == torch.float32
    with torch.no_grad():
        net.decoder[-1][0].weight.mul_(1e4)  # saturate it: only the tanh can hold these within [-1, 1]
    assert 0.99 < net(image).abs().max() <= 1


def test_unet_layers_are_where_the_release_puts_them() -> None:
    net = Im2FlowUNet(image_size=64, base_width=8, max_width=16)
    kinds = [[type(layer).__name__ for layer in stage] for stage in net.encoder]
    assert kinds == [["Conv2d"], *[["LeakyReLU", "Conv2d", "BatchNorm2d"]] * 5]
    kinds = [[type(layer).__name__ for layer in stage] for stage in net.decoder]
    grow = "ConvTranspose2d"
    assert kinds == [*[[grow, "BatchNorm2d", "Dropout"]] * 3, *[[grow, "BatchNorm2d"]] * 2, [grow]]
    convolutions = [m for m in net.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]
    assert all(m.bias is None for m in convolutions)
    weights = torch.cat([m.weight.detach().flatten() for m in convolutions])
    assert weights.std().item() == pytest.approx(0.02, rel=0.05)
    assert all(m.negative_slope == 0.2 for m in net.modules() if isinstance(m, nn.LeakyReLU))


def test_every_skip_carries_its_own_encoder_stage() -> None:
    """With the upward path silenced before skip j, the output depends on e1 ... e_j and on no deeper stage."""
    net = Im2FlowUNet(image_size=32, base_width=8, max_width=16).eval()
    image = torch.rand(2, 3, 32, 32)
    stages = len(net.encoder)
    for j in range(1, stages):  # skip from e_j into the decoder stage whose input lies at e_j's size
        cut = net.decoder[stages - 1 - j]  # the stage before it: its output is the other half of the concatenation
        hook = cut.register_forward_hook(lambda _m, _i, out: torch.zeros_like(out))
        net.zero_grad()
        net(image).sum().backward()
        hook.remove()
        reached = [stage[-2 if i else 0].weight.grad for i, stage in enumerate(net.encoder)]
        used = [grad is not None and bool(grad.abs().sum() > 0) for grad in reached]
        assert used == [True] * j + [False] * (stages - j)


def test_relu_precedes_the_concatenation_with_the_same_values() -> None:
    """The literal order of the released code, skip and upward path joined and then rectified, gives the same image."""
    net = Im2FlowUNet(image_size=32, base_width=8, max_width=16).eval()
    image = torch.rand(2, 3, 32, 32)
    maps = net.encode(image)
    x = maps[-1]
    for stage, skip in zip(net.decoder, [None, *maps[-2::-1]], strict=True):
        x = stage(torch.relu(x if skip is None else torch.cat([x, skip], dim=1)))
    assert torch.allclose(net(image), torch.tanh(x), atol=1e-6)


def receptive_width(net: Im2FlowUNet, stage: int) -> int:
    """Columns of the input that the middle unit of encoder stage `stage` (from 1) responds to."""
    image = torch.rand(2, 3, net.image_size, net.image_size, requires_grad=True)
    feature = net.eval().encode(image)[stage - 1]
    middle = feature.shape[-1] // 2
    feature[:, :, middle, middle].sum().backward()
    return int((image.grad.abs().sum((0, 1, 2)) > 0).sum())


def test_dilation_widens_what_a_cell_of_the_same_map_sees() -> None:
    size = {"image_size": 256, "base_width": 2, "max_width": 2}
    plain, dilated = Im2FlowUNet(**size), Im2FlowUNet(**size, dilated=True)
    assert receptive_width(plain, 4) == 1 + 3 * (1 + 2 + 4 + 8) == 46  # its 16x16 map
    assert receptive_width(dilated, 5) == 46 + 2 * 16 * 1
    assert receptive_width(dilated, 6) == 46 + 2 * 16 * (1 + 2)
    assert receptive_width(dilated, 8) == 256  # a map as fine as the plain e4, and a view of the whole image


def test_unet_refuses_sizes_and_batches_it_can_t_serve() -> None:
    with pytest.raises(StillactError, match="image_size 100"):
        Im2FlowUNet(image_size=100)
    net = Im2FlowUNet(image_size=32, base_width=4, max_width=8)
    with pytest.raises(StillactError, match="at least 2"):
        net(torch.rand(1, 3, 32, 32))
    assert net.eval()(torch.rand(1, 3, 32, 32)).shape == (1, 3, 32, 32)
    shallow = Im2FlowUNet(image_size=48, base_width=4, max_width=8, stages=4)
    assert shallow(torch.rand(1, 3, 48, 48)).shape == (1, 3, 48, 48)


def test_walker_full_is_the_published_network() -> None:
    with torch.device("meta"):
        net = WalkerNet.full()
        assert net.trunk(torch.empty(1, 3, 200, 200)).shape == (1, 9216)  # 6,400 if pooling rounded down
        assert net(torch.empty(2, 3, 200, 200)).shape == (2, 40, 20, 20)
    convolutions = [(96, 3 * 11 * 11), (256, 48 * 25), (384, 256 * 9), (384, 192 * 9), (256, 192 * 9)]
    linear = [(4096, 9216), (4096, 4096), (16_000, 4096)]
    assert parameters(net) == sum(out * (fan_in + 1) for out, fan_in in convolutions + linear) == 122_420_224


def test_walker_full_starts_as_caffe_would() -> None:
    torch.manual_seed(0)
    net = WalkerNet.full(clusters=1)  # 400 last units in place of 16,000 spare the memory
    layers = [m for m in net.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert [layer.bias[0].item() for layer in layers] == pytest.approx([0, 0.1, 0, 0.1, 0.1, 0.1, 0.1, 0])
    for layer in layers:
        fan_in = layer.weight[0].numel()
        assert layer.weight.var().item() == pytest.approx(1 / fan_in, rel=0.05)
    with torch.autocast("cpu", torch.bfloat16):
        assert net(torch.rand(2, 3, 200, 200)).isfinite().all()


def test_caffe_input_is_bgr_minus_the_mean() -> None:
    white = torch.ones(1, 3, 2, 2)
    red = torch.tensor([1.0, -1.0, -1.0]).view(1, 3, 1, 1).expand(1, 3, 2, 2)
    to_caffe = CaffeInput((89.05, 96.63, 100.77))
    assert to_caffe(white)[0, :, 0, 0].tolist() == pytest.approx([255 - 89.05, 255 - 96.63, 255 - 100.77], rel=1e-5)
    assert to_caffe(red)[0, :, 0, 0].tolist() == pytest.approx([-89.05, -96.63, 255 - 100.77], rel=1e-5)


def test_fc8_is_read_cluster_first_then_row_then_column() -> None:
    clusters, grid = 3, 4
    fc8 = torch.arange(2 * clusters * grid * grid, dtype=torch.float32).view(2, -1)
    scores = fc8_to_grid(fc8, clusters, grid)
    for image in range(2):
        for cluster in range(clusters):
            for row in range(grid):
                for column in range(grid):
                    unit = cluster + clusters * (row + grid * column)
                    assert scores[image, cluster, row, column] == fc8[image, unit]


def test_bn_alexnet_layout() -> None:
    with torch.device("meta"):
        net = BNAlexNet.full(1000)
        assert net.descriptor(torch.empty(2, 3, 227, 227)).shape == (2, 9216)
        assert net(torch.empty(2, 3, 227, 227)).shape == (2, 1000)
    layers = [(96, 363), (256, 1200), (384, 2304), (384, 1728), (256, 1728), (4096, 9216), (4096, 4096), (1000, 4096)]
    normalised = 3 + 96 + 256 + 384 + 384 + 256 + 4096 + 4096
    assert parameters(net) == sum(out * (fan_in + 1) for out, fan_in in layers) + 2 * normalised == 60_984_366


@pytest.mark.parametrize("size", [64, 96, 72])
def test_compact_networks_fit_their_image_size(size: int) -> None:
    image = torch.rand(2, 3, size, size)
    alexnet = BNAlexNet.compact(12, image_size=size, width=8)
    assert alexnet.descriptor(image).shape == (2, alexnet.pool5_size)
    assert alexnet(image).shape == (2, 12)
    assert WalkerNet.compact(image_size=size, grid=8, clusters=5, width=8)(image).shape == (2, 5, 8, 8)


def test_compact_walker_learns_where_things_move() -> None:
    """A bright square moves (cluster 1) if it is in the left half: where it is has to be seen, not only guessed."""
    torch.manual_seed(0)
    net = WalkerNet.compact(image_size=64, grid=4, clusters=2, width=8, hidden=64)
    optimiser = torch.optim.Adam(net.parameters(), 3e-3)

    def batch() -> tuple[torch.Tensor, torch.Tensor]:
        cell = torch.randint(16, (32,))
        image = torch.full((32, 3, 64, 64), -0.5)
        label = torch.zeros(32, 4, 4, dtype=torch.long)
        for i, (row, column) in enumerate(zip(cell // 4, cell % 4, strict=True)):
            image[i, :, row * 16 : row * 16 + 16, column * 16 : column * 16 + 16] = 0.8
            label[i, row, column] = int(column < 2)
        return image, label

    for _ in range(90):
        image, label = batch()
        optimiser.zero_grad()
        nn.functional.cross_entropy(net(image), label).backward()
        optimiser.step()
    image, label = batch()
    chosen = net.eval()(image).argmax(1)
    assert (chosen[label == 1] == 1).float().mean() > 0.7
    assert (chosen[label == 0] == 0).float().mean() > 0.95


def test_motion_content_is_resnet18_s_second_stage() -> None:
    net = MotionContentNet(101).eval()
    assert parameters(net) == 11_689_512 - 513_000 + 513 * 101  # torchvision's count, with 101 classes in place of 1000
    flow_image = torch.rand(1, 3, 64, 64) * 2 - 1
    assert net.content(flow_image).shape == (1, 128, 28, 28)
    assert net(flow_image).shape == (1, 101)


def test_motion_content_normalises_as_the_release_does() -> None:
    net = MotionContentNet(5, width="compact").eval()
    seen: list[torch.Tensor] = []
    net.early.register_forward_pre_hook(lambda _m, inputs: seen.append(inputs[0]))
    net.content(torch.full((1, 3, 64, 64), -1.0))
    net.content(torch.full((1, 3, 64, 64), 1.0))
    for value, image in zip((0.0, 1.0), seen, strict=True):
        expected = [(value - m) / s for m, s in zip(IMAGENET_MEAN, IMAGENET_STD, strict=True)]
        assert image[0, :, 5, 5].tolist() == pytest.approx(expected, rel=1e-5)


def test_compact_motion_content_passes_gradients_to_the_predicted_flow() -> None:
    net = MotionContentNet(12, width="compact").eval().requires_grad_(False)
    flow_image = (torch.rand(2, 3, 64, 64) * 2 - 1).requires_grad_()
    content = net.content(flow_image)
    assert content.shape == (2, 32, 16, 16)
    content.square().mean().backward()
    assert (flow_image.grad.abs().sum((2, 3)) > 0).all()
    assert net(flow_image).shape == (2, 12)


def test_missing_weights_are_one_clear_line(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    def no_network(*_args, **_options):
        raise OSError("no route to host")

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", no_network)
    with pytest.raises(StillactError, match="neither cached nor reachable") as error:
        MotionContentNet(101, pretrained=True)
    assert "\n" not in str(error.value)
    with pytest.raises(StillactError, match="compact"):
        MotionContentNet(101, width="compact", pretrained=True)


@pytest.mark.parametrize("cut", [False, True])
def test_weights_that_are_none_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path, cut) -> None:
    """A page of HTML saved under the weights' name, and a download that broke off."""
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    file = tmp_path / "checkpoints" / ResNet18_Weights.IMAGENET1K_V1.url.rpartition("/")[2]
    file.parent.mkdir()
    if cut:
        torch.save(resnet18(weights=None).state_dict(), file)
        file.write_bytes(file.read_bytes()[:100_000])
    else:
        file.write_text("<html><body>404</body></html>")
    with pytest.raises(StillactError) as error:
        MotionContentNet(101, pretrained=True)
    assert str(error.value).startswith(f"{file}: cut, or no weights of resnet18") and "\n" not in str(error.value)


def test_other_weights_that_are_none_are_named_too(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    for weights in (DeepLabV3_ResNet50_Weights.COCO_WITH_VOC_LABELS_V1, Raft_Small_Weights.DEFAULT):
        (tmp_path / "checkpoints" / weights.url.rpartition("/")[2]).write_text("<html>404</html>")
    with pytest.raises(StillactError, match=r"deeplabv3_resnet50_coco-\w+\.pth, are not whole"):
        segment_foreground(torch.zeros(1, 3, 8, 8, dtype=torch.uint8), torch.device("cpu"))
    with pytest.raises(StillactError, match=r"raft_small_\w+-\w+\.pth, are not whole"):
        list(consecutive_flow(np.zeros((2, 16, 16, 3), np.uint8), "raft"))


@needs_weights
def test_networks_that_begin_with_imagenet_s_encoder_let_it_learn_at_a_share_of_the_rate() -> None:
    encoder = parameters(TrainedEncoder())
    image = torch.rand(2, 3, 64, 64) * 2 - 1
    unet, walker = TrainedEncoderUNet(64, 64).eval(), WalkerNet.trained(64, grid=8, clusters=5, hidden=16).eval()
    assert unet(image).shape == (2, 3, 64, 64) and walker(image).shape == (2, 5, 8, 8)
    for network in (unet, walker):
        new, trained = parameter_groups(network, 1e-3, 0.1)
        assert sum(p.numel() for p in trained["params"]) == encoder and trained["lr"] == pytest.approx(1e-4)
        assert sum(p.numel() for p in new["params"]) == parameters(network) - encoder > 0
    shapes = [tuple(stage.shape[1:]) for stage in unet.encode(image)]
    assert shapes == [(16, 32, 32), (24, 16, 16), (32, 8, 8), (96, 4, 4), (320, 2, 2)]
    (everything,) = parameter_groups(Im2FlowUNet(64, 4, 8), 1e-3, 0.1)
    assert sum(p.numel() for p in everything["params"]) == parameters(Im2FlowUNet(64, 4, 8))
