"""VGG networks from weights of one's own, against the same layers put together by torch."""

import json

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional

from dgm_core.cli.prdc_command import run
from dgm_core.errors import DataError
from dgm_core.precision_recall.comparison import SetComparison
from dgm_core.precision_recall.spaces import embedder, own_networks
from dgm_core.precision_recall.vgg import DEVIATION, MEAN, read_vgg

WIDTHS = (4, "pool", 6, 6, "pool", 8, "pool")


class Plain(nn.Module):
    """VGG as torchvision builds it: one Sequential of features, one of the classifier."""

    def __init__(self, *, normalised):
        super().__init__()
        layers, inputs = [], 3
        for width in WIDTHS:
            if width == "pool":
                layers.append(nn.MaxPool2d(2, 2))
                continue
            layers += [nn.Conv2d(inputs, width, 3, padding=1), *([nn.BatchNorm2d(width)] if normalised else [])]
            layers.append(nn.ReLU())
            inputs = width
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Linear(8 * 49, 12), nn.ReLU(), nn.Dropout(), nn.Linear(12, 10), nn.ReLU(), nn.Dropout(), nn.Linear(10, 5)
        )

    def hidden(self, images):
        x = functional.interpolate(images, (224, 224), mode="bilinear", antialias=True, align_corners=False)
        x = (x - torch.tensor(MEAN)[:, None, None]) / torch.tensor(DEVIATION)[:, None, None]
        features = self.features(x)
        return features, self.classifier[:5](functional.adaptive_avg_pool2d(features, 7).flatten(1))


@pytest.fixture
def networks(tmp_path, monkeypatch):
    monkeypatch.setenv("DGM_HOME", str(tmp_path))
    folder = tmp_path / "networks"
    folder.mkdir()
    return folder


def plain(normalised=False):
    torch.manual_seed(0)
    net = Plain(normalised=normalised)
    for name, buffer in net.named_buffers():
        if name.endswith("running_mean"):
            buffer.copy_(torch.randn_like(buffer) / 4)
        elif name.endswith("running_var"):
            buffer.copy_(torch.rand_like(buffer) + 0.5)
    return net.eval()


def state(net):
    return {name: tensor for name, tensor in net.state_dict().items() if tensor.is_floating_point()}


@pytest.mark.parametrize("normalised", [False, True])
@torch.no_grad()
def test_the_embedding_is_the_second_hidden_layer(networks, normalised):
    net, images = plain(normalised), torch.rand(3, 3, 40, 40, generator=torch.Generator().manual_seed(1))
    save_file(state(net), networks / "mine.safetensors")
    torch.testing.assert_close(embedder("file:mine").embed(images), net.hidden(images)[1], atol=1e-4, rtol=1e-4)
    assert own_networks() == ("mine",)


@torch.no_grad()
def test_names_of_timm_and_features_alone(networks):
    net, images = plain(), torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    features, hidden = net.hidden(images)
    alone = {name: tensor for name, tensor in state(net).items() if name.startswith("features")}
    save_file(alone, networks / "alone.safetensors")
    torch.testing.assert_close(embedder("file:alone").embed(images), features.mean((2, 3)), atol=1e-4, rtol=1e-4)
    first, second = net.classifier[0], net.classifier[3]
    timm = {
        "pre_logits.fc1.weight": first.weight.reshape(12, 8, 7, 7).clone(), "pre_logits.fc1.bias": first.bias,
        "pre_logits.fc2.weight": second.weight.reshape(10, 12, 1, 1).clone(), "pre_logits.fc2.bias": second.bias,
    }  # fmt: skip
    save_file({**alone, **timm}, networks / "timm.safetensors")
    torch.testing.assert_close(embedder("file:timm").embed(images), hidden, atol=1e-4, rtol=1e-4)


def test_what_is_no_such_network_is_a_sentence(networks):
    with pytest.raises(DataError, match="cannot be read"):
        embedder("file:nothing")
    (networks / "bad.safetensors").write_bytes(b"nonsense")
    with pytest.raises(DataError, match="no safetensors file"):
        embedder("file:bad")
    save_file({"layer1.weight": torch.zeros(3, 3)}, networks / "other.safetensors")
    with pytest.raises(DataError, match="no VGG network"):
        embedder("file:other")
    wrong = {"features.0.weight": torch.zeros(4, 3, 3, 3), "features.2.weight": torch.zeros(4, 7, 3, 3)}
    save_file(wrong, networks / "wrong.safetensors")
    with pytest.raises(DataError, match="do not go together"):
        embedder("file:wrong")
    with pytest.raises(DataError, match="may hold code"):
        read_vgg(networks / "vgg16.pth")


def test_the_page_and_the_shell_take_it(networks, tmp_path, capsys):
    save_file(state(plain()), networks / "mine.safetensors")
    random = torch.Generator().manual_seed(0)
    for name in ("real", "fake"):
        (tmp_path / name).mkdir()
        for number in range(8):
            picture = torch.randint(0, 255, (24, 24, 3), dtype=torch.uint8, generator=random).numpy()
            Image.fromarray(picture).save(tmp_path / name / f"{number}.png")
    folders = [str(tmp_path / "real"), str(tmp_path / "fake")]
    weights = str(networks / "mine.safetensors")
    assert run([*folders, "--k", "2", "--embed", "classifier", "--network", weights]) == 0
    assert json.loads(capsys.readouterr().out)["dimensions"] == 10
    asked = SetComparison(generated="set:digits-test", network="file:mine", most=20)
    assert asked.pair().embedded_fake.shape == (20, 10)
