"""A link that writes every value and the schema version, and a button that copies it."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

import streamlit as st

from app.theme import in_classroom
from dgm_core.experiment import Experiment

HTML = """<div class="row"><button type="button" id="copy"></button><span id="said" role="status"></span></div>
<input id="link" readonly aria-label="Link to this picture" hidden>"""
CSS = """
.row { display: flex; align-items: center; gap: .6rem; font: .875rem/1.6 var(--st-font); }
button { font: inherit; color: var(--st-text-color); background: transparent; cursor: pointer;
  border: 1px solid var(--st-border-color); border-radius: var(--st-button-radius, .5rem); padding: .5rem .75rem; }
button:hover { border-color: var(--st-primary-color); color: var(--st-primary-color); }
button:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 2px; }
span { color: var(--st-text-color); opacity: .8; }
input { font: .8rem var(--st-code-font, monospace); width: 100%; box-sizing: border-box; margin-top: .3rem;
  color: var(--st-text-color); background: var(--st-secondary-background-color);
  border: 1px solid var(--st-border-color); border-radius: .4rem; padding: .4rem; }
input[hidden] { display: none; }
"""
JS = """
export default function ({ data, parentElement }) {
  const button = parentElement.querySelector("#copy");
  const said = parentElement.querySelector("#said");
  const field = parentElement.querySelector("#link");
  button.textContent = data.label;
  if (field.value !== data.link) { field.value = data.link; field.hidden = true; said.textContent = ""; }
  button.onclick = async () => {
    try {
      await navigator.clipboard.writeText(data.link);
      field.hidden = true;
      said.textContent = "Copied";
    } catch {
      field.hidden = false;
      field.focus();
      field.select();
      said.textContent = "Press Ctrl or \\u2318 and C";
    }
    clearTimeout(button.timer);
    button.timer = setTimeout(() => { if (field.hidden) said.textContent = ""; }, 4000);
  };
}
"""
COPY = st.components.v2.component("dgm_copy_link", html=HTML, css=CSS, js=JS)


def full_link(address: str, experiment: Experiment, extra: Mapping[str, str] | None = None) -> str:
    """The address of this picture: every value, defaults too, so that the link outlives a change of defaults.

    Example:
        >>> class Seeded(Experiment):
        ...     seed: int = 3
        >>> full_link("http://host/cnf", Seeded())
        'http://host/cnf?v=1&seed=3'
        >>> full_link("http://host", Seeded())
        'http://host/?v=1&seed=3'
    """
    page = address if urlsplit(address).path else f"{address}/"
    return f"{page}?{urlencode({**experiment.to_query(), **(extra or {})})}"


def link(experiment: Experiment, extra: Mapping[str, str] | None = None) -> str:
    """`full_link` at the page's own address, with the classroom mode where it is on."""
    mode = {"classroom": "true"} if in_classroom() else {}
    return full_link(st.context.url or "", experiment, {**mode, **(extra or {})})


def copy_link(experiment: Experiment, extra: Mapping[str, str] | None = None, *, key: str = "copy_link") -> None:
    """A button that puts the link on the clipboard; where the browser forbids that, the link is shown, selected.

    Args:
        experiment: what the link names.
        extra: further query parameters of the page, such as a second Experiment's with its prefix.
        key: unique on the page.
    """
    COPY(key=key, data={"label": "Copy link", "link": link(experiment, extra)}, width="content", height="content")
