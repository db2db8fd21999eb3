"""A figure on the page."""

from __future__ import annotations

from typing import Any, Literal

import pyarrow as pa
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.figures.figure import Columns, Figure


def chart(
    figure: Figure, key: str, *, place: DeltaGenerator | None = None, stretch: bool = True, select: str = ""
) -> dict[str, Any]:
    """Show a figure; under the same key the browser keeps it and changes its numbers in place.

    Args:
        figure: what to show.
        key: unique on the page.
        place: a column or container; where the page stands by default.
        stretch: as wide as the place, or of the figure's own width.
        select: the name of a selection in the figure; picking then reruns the page.

    Returns:
        The fields of what is picked, none where nothing is.
    """
    spec = {**figure.spec, "datasets": {name: arrow(table) for name, table in figure.tables.items()}}
    show = st.vega_lite_chart if place is None else place.vega_lite_chart
    width: Literal["stretch", "content"] = "stretch" if stretch else "content"
    if not select:
        show(spec=spec, key=key, theme=None, width=width)
        return {}
    event = show(spec=spec, key=key, theme=None, width=width, on_select="rerun", selection_mode=[select])
    picked = event["selection"].get(select) or [{}]
    return dict(picked[0])


def arrow(table: Columns) -> bytes:
    """A table as an Arrow stream, which Streamlit sends on as it is."""
    made = pa.table({name: pa.array(column) for name, column in table.items()})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, made.schema) as stream:
        stream.write_table(made)
    return bytes(sink.getvalue().to_pybytes())
