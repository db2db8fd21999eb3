"""The codebook's stage: the browser of a trained model, or its training as reels."""

from __future__ import annotations

import streamlit as st

from app import trained as store
from app.bones.notes import notes
from app.bones.switch import from_address
from app.codebook import answer, browsed, codebook_browser
from app.furniture import in_classroom, switch
from app.reel import reel_player
from app.services import runner
from app.trained import Trained, seen_by_view
from app.training_panel import POLL, active_run
from app.vqvae import models
from dgm_core.vqvae.experiment import VQVAE
from dgm_core.vqvae.layout import has_umap
from dgm_core.vqvae.views import CodebookAtlas

VIEW = "vqvae_view"
VIEWS = {"codebook": "Codebook", "training": "Its training"}
LAYOUTS = {"pca": "PCA", "tsne": "t-SNE", "umap": "UMAP"}
FIRST = "vqvae-shapes"
LAST = "dgm:vqvae:book"
LAYOUT = "projection"


def show(view: str) -> None:
    """Turn the stage to the codebook or to the training; for callbacks."""
    st.session_state[VIEW] = view


def shown(chosen: VQVAE) -> Trained:
    """What answers for these settings, or what was shown last."""
    return store.shown(chosen, active_run(chosen), FIRST)


def stage(chosen: VQVAE, trained: Trained) -> None:
    """Draw the stage for these settings; it follows a live run, and the making of an atlas, by itself."""
    run = active_run(chosen)
    live = run is not None and runner().watch(run).live
    from_address(LAYOUT, _layouts(), "pca")
    layout = st.session_state.get(LAYOUT) or "pca"
    atlas = runner().submit(CodebookAtlas(**seen_by_view(trained), layout=layout))
    charting = runner().watch(atlas.id).live

    @st.fragment(run_every=2 * POLL if live or charting else None)
    def picture() -> None:
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            view = switch("Show", VIEWS, key=VIEW, default="codebook")
            if view == "codebook":
                _projection(layout, charting and runner().watch(atlas.id).live)
        if view == "training":
            _training(trained, run)
        else:
            if trained.experiment != chosen:
                st.caption("These settings are not trained yet; this is the last model that is.")
            _codebook(trained, atlas.id)
        if charting and not runner().watch(atlas.id).live:
            st.rerun()

    picture()


def _layouts() -> dict[str, str]:
    """The projections that can be made here."""
    return {name: words for name, words in LAYOUTS.items() if name != "umap" or has_umap()}


def _projection(shown: str, busy: bool) -> None:
    """The switch between projections, and what they are good for; another one than is shown runs the page again."""
    st.caption("Projection", width="content")
    chosen = switch("Projection", _layouts(), key=LAYOUT, default="pca")
    if chosen != "pca":
        words = "Who is near whom is kept; distances between groups mean nothing."
        missing = "" if has_umap() else " UMAP joins in where umap-learn is installed."
        st.caption("It is made …" if busy else words + missing, width="content")
    if chosen is not None and chosen != shown:
        st.rerun()


def _training(trained: Trained, run: str | None) -> None:
    snapshot = runner().watch(run) if run is not None else None
    found = models.live_reels(snapshot) if snapshot is not None else []
    if not found and not (snapshot is not None and snapshot.live):  # a run that has failed leaves the last model's
        found = models.finished_reels(trained)
    if not found:
        st.caption("The first picture comes with the first steps.")
        return
    following = snapshot is not None and snapshot.live
    for reel, name, height in zip(found, ("pictures", "codes"), (300, 420), strict=False):
        reel_player(
            reel, key=f"vqvae_{name}", alt=f"The {name} after more and more training steps.", height=height,
            ends=("untrained", "trained"), follow=following, loop="once", sync="vqvae_training",
            time=None if following else float(reel.times[-1]), classroom=in_classroom(),
        )  # fmt: skip


def _codebook(trained: Trained, run: str) -> None:
    """The browser; while the atlas is made, the last one stays."""
    snapshot = runner().watch(run)
    if snapshot.state == "done":
        st.session_state[LAST] = (trained, run)
    elif not snapshot.live:
        notes([snapshot.reason])
    if LAST not in st.session_state:
        st.caption("The codes are charted; until then, how they came about.")
        found = models.finished_reels(trained)
        if found:
            reel_player(
                found[-1], key="vqvae_first", alt="The codes' tiles over the training.", height=420, autoplay=True,
                ends=("untrained", "trained"), loop="once", classroom=in_classroom(),
            )  # fmt: skip
        return
    of, atlas = st.session_state[LAST]
    packed = store.artifact(Trained("run", atlas, of.experiment), "atlas")
    book = models.codebook_view(of.source, of.name, atlas, of, packed) if packed is not None else None
    if book is None:
        notes([str(models.images_of(of))])
        return
    outputs = book.browsed.outputs
    known = answer(
        browsed("book", book.view), book.view, lambda maps: models.decoded(of, maps),
        lambda left: models.without(of, outputs, left),
    )  # fmt: skip
    codebook_browser(book.view, key="book", classroom=in_classroom(), answer=known)
