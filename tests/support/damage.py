"""Damaged files: bytes are replaced, cut out and put in."""

from hypothesis import strategies as st

DAMAGE = st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 8), st.binary(max_size=8)))


def damaged(content, changes):
    """Return the content after changes (place, bytes cut out there, bytes put in)."""
    for at, cut, new in changes:
        at %= len(content) + 1
        content = content[:at] + new + content[at + cut :]
    return content
