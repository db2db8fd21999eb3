"""Any two sets: read, changed, embedded and compared; what does not go together is a sentence."""

import io

import numpy as np
import pytest
import torch

from dgm_core.checks import read_checks
from dgm_core.device import resolve
from dgm_core.errors import DataError
from dgm_core.experiment import TrainingFailedError
from dgm_core.precision_recall import vectors
from dgm_core.precision_recall.classifier import Classifier, fitted
from dgm_core.precision_recall.comparison import SetComparison, changed
from dgm_core.precision_recall.embedding import ImageClassifier, accuracy
from dgm_core.precision_recall.sets import load_set
from dgm_core.precision_recall.spaces import fitted_space, principal_axes
from dgm_core.views import Made


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("DGM_HOME", str(tmp_path))
    return tmp_path


def compared(**settings):
    made = SetComparison(**settings).make(Made(), resolve("cpu"))
    return np.load(io.BytesIO(made["figures"]), allow_pickle=False), read_checks(made["checks"])


@pytest.mark.parametrize("embed", ["pixels", "pca", "classifier"])
def test_images_are_compared(embed):
    figures, checks = compared(generated="set:digits-test", embed=embed, most=120)
    assert figures["curves"].shape == (4, 50)
    assert figures["invented"].shape == (24, 8, 8)
    assert all(check.passed for check in checks)


def test_samples_of_a_discrete_vae_are_a_set():
    images = load_set("zoo:gumbel-digits", 30, seed=1)
    assert images.shape == (30, 1, 8, 8)
    assert 0 <= images.min() < images.max() <= 1


def test_samples_of_a_prior_are_a_set():
    images = load_set("zoo:vqvae-shapes-prior", 20, seed=1)
    assert images.shape == (20, 3, 32, 32)
    torch.testing.assert_close(images, load_set("zoo:vqvae-shapes-prior", 20, seed=1))
    assert not torch.equal(images, load_set("zoo:vqvae-shapes-prior", 20, seed=2))


def test_numbers_of_any_dimension(home):
    random = np.random.default_rng(0)
    real, fake = (f"vectors:{vectors.put(random.normal(size=(90, 7)))}" for _ in range(2))
    figures, checks = compared(real=real, generated=fake, embed="pixels")
    assert "invented" not in figures
    assert all(check.passed for check in checks)


@pytest.mark.parametrize(
    ("real", "fake", "embed", "said"),
    [
        ("seven", "five", "pixels", "has 7 columns and the generated one 5"),
        ("seven", "digits", "pixels", "One set holds images"),
        ("seven", "seven", "classifier", "A classifier embeds images"),
        ("missing", "seven", "pixels", "not on this machine"),
    ],
)
def test_what_does_not_go_together_is_a_sentence(home, real, fake, embed, said):
    random = np.random.default_rng(0)
    names = {
        "seven": f"vectors:{vectors.put(random.normal(size=(30, 7)))}",
        "five": f"vectors:{vectors.put(random.normal(size=(30, 5)))}",
        "digits": "set:digits-test", "missing": "vectors:" + "0" * 16,
    }  # fmt: skip
    with pytest.raises(TrainingFailedError, match=said):
        compared(real=names[real], generated=names[fake], embed=embed)


@pytest.mark.parametrize("name", ["set:digits-middle", "set:nothing-test", "vectors:zz", "zoo:cnf-moons"])
def test_unknown_sets_are_sentences(name):
    with pytest.raises(DataError):
        load_set(name, 10, 0)


def saved(array, **options):
    file = io.BytesIO()
    (np.savez if options.get("npz") else np.save)(file, array)
    return file.getvalue()


def test_files_of_numbers():
    array = np.random.default_rng(0).normal(size=(40, 9))
    for content in (saved(array), saved(array, npz=True), saved(np.asfortranarray(array))):
        np.testing.assert_allclose(vectors.read_vectors("file", content), array, rtol=1e-6)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (saved(np.zeros(5)), "N × D is needed"),
        (saved(np.zeros((0, 5))), "at least one of each"),
        (saved(np.full((4, 3), np.nan)), "4 of 4 rows hold NaN"),
        (saved(np.array([["a", "b"]])), "numbers"),
        (saved(np.zeros((3, 3)))[:-4], "ends too early"),
        (b"PK nonsense", "damaged"),
        (saved(np.zeros((1_000_001, 1), np.int8)), "rows; keep at most"),
    ],
)
def test_bad_files_are_sentences(content, said):
    with pytest.raises(DataError, match=said):
        vectors.read_vectors("file.npz", content)


def test_kept_numbers_come_back_and_damage_is_noticed(home):
    array = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    key = vectors.put(array)
    np.testing.assert_array_equal(vectors.get(key), array)
    path = next((home / "vectors").glob("*.safetensors"))
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(DataError, match="damaged"):
        vectors.get(key)


def test_changes_of_images():
    images = torch.rand(20, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    noisy = changed(images * 0 + 0.5, "noise", 0.1, 0)
    assert (noisy - 0.5).std().item() == pytest.approx(0.1, rel=0.05)
    torch.testing.assert_close(changed(images, "fade", 0.5, 0), images / 2)
    inside = changed(torch.ones(1, 1, 64, 64), "blur", 0.1, 0)[0, 0, 24:40, 24:40]
    torch.testing.assert_close(inside, torch.ones_like(inside), atol=1e-5, rtol=0)  # a kernel of weight 1
    assert changed(images, "blur", 0.3, 0).std() < images.std()
    torch.testing.assert_close(changed(images, "blur", 0.0, 0), images)


def test_all_principal_axes_keep_distances():
    random = torch.Generator().manual_seed(0)
    x, y = torch.randn(60, 5, generator=random), torch.randn(40, 5, generator=random)
    embed = fitted_space(x, "pca", network="", components=5)
    a, b = torch.from_numpy(embed(x)), torch.from_numpy(embed(y))
    torch.testing.assert_close(torch.cdist(a, b), torch.cdist(x, y), atol=1e-4, rtol=1e-4)
    variances = a.var(0)
    assert (variances[:-1] >= variances[1:]).all()


@pytest.mark.parametrize("shape", [(60, 9), (9, 60)])
def test_principal_axes_are_those_of_the_singular_value_decomposition(shape):
    rows = torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    rows *= torch.linspace(1, 3, shape[1], dtype=torch.float64)
    expected = torch.linalg.svd(rows - rows.mean(0), full_matrices=False).Vh[:6]
    torch.testing.assert_close((principal_axes(rows, 6) * expected).sum(1).abs(), torch.ones(6, dtype=torch.float64))


def test_axes_without_variance_are_left_out():
    line = torch.linspace(0, 1, 20, dtype=torch.float64)[:, None] * torch.ones(30, dtype=torch.float64)
    assert principal_axes(line, 5).shape == (1, 30)
    assert principal_axes(torch.ones(8, 3, dtype=torch.float64), 5).shape == (1, 3)


def test_images_are_fitted():
    red = torch.zeros(1, 3, 8, 8)
    red[:, 0] = 1
    torch.testing.assert_close(fitted(red, (1, 8, 8)), torch.full((1, 1, 8, 8), 0.299))
    assert fitted(torch.rand(2, 1, 28, 28), (3, 8, 8)).shape == (2, 3, 8, 8)


def test_the_classifier_learns():
    from dgm_core.data.images import load

    experiment = ImageClassifier(steps=120)
    model = experiment.build()
    assert isinstance(model, Classifier)
    before = accuracy(model, load("digits"))
    *_, last = experiment.train(model, resolve("cpu"))
    assert before < 0.3
    assert last.metrics["accuracy"] == pytest.approx(accuracy(model, load("digits")))
    assert last.metrics["accuracy"] > 0.9
