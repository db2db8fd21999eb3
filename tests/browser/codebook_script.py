"""A page for the codebook browser's tests: what is shown stands in the page's address, what comes back below."""

import json
from dataclasses import asdict

import streamlit as st

from app.codebook import answer, browsed, codebook_browser
from app.codebook.payload import encode
from tests.browser.patch_codes import PatchCodes, digits, patch_codes, photos


@st.cache_resource
def made(data: str, codes: int, images: int, dead: int) -> PatchCodes:
    """One object for all reruns."""
    if data == "photos":
        return patch_codes(photos(images), 4, codes, dead=dead)
    return patch_codes(digits()[:images], 2, codes, dead=dead)


st.set_page_config(layout="wide")
query = st.query_params


@st.fragment
def browser() -> None:
    """The browser and, below it, what Python has heard."""
    again = st.toggle("Other codes")
    book = made(
        query.get("data", "digits"), int(query.get("codes", 32)) + 8 * again, int(query.get("images", 400)),
        int(query.get("dead", 2)),
    )  # fmt: skip
    if "forget" in query and "told" not in st.session_state:  # Python believes that the browser holds it
        st.session_state["dgm:codebook:book"] = encode(book.view).digest
        st.session_state.told = True
    heard = browsed("book", book.view)
    replied = None if "mute" in query else answer(heard, book.view, book.decode, book.reassign)
    event = codebook_browser(
        book.view, key="book", height=int(query.get("height", 420)), classroom="classroom" in query,
        editable="fixed" not in query, report_pin="report" in query, answer=replied,
    )  # fmt: skip
    st.code(json.dumps(asdict(event)), language="json")


browser()
