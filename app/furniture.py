"""The bones that every page has, gathered: a page imports them from here."""

from app.bones.asked import asked_for
from app.bones.chart import chart
from app.bones.check_table import check_table
from app.bones.compare import ab_controls, ab_section
from app.bones.device import chosen_device, device_badge
from app.bones.export import Export, code_section, export_section
from app.bones.header import page_header
from app.bones.measured import measured_checks
from app.bones.notes import notes
from app.bones.pipeline import pipeline_caption
from app.bones.switch import switch
from app.bones.tries import try_section
from app.permalink import copy_link
from app.theme import classroom_toggle, in_classroom, is_dark, scale

__all__ = [
    "Export", "ab_controls", "ab_section", "asked_for", "chart", "check_table", "chosen_device", "classroom_toggle",
    "code_section", "copy_link", "device_badge", "export_section", "in_classroom", "is_dark", "measured_checks",
    "notes", "page_header", "pipeline_caption", "scale", "switch", "try_section",
]  # fmt: skip
