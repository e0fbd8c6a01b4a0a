"""Values that nobody thought of."""

from hypothesis import settings
from hypothesis import strategies as st

quick = settings(max_examples=25)
"""Few examples: tests share their machine."""

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)
"""What JSON can say."""

nearly_json_values = st.recursive(
    json_values | st.floats() | st.text(st.characters(exclude_categories=()), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)
"""What Python's `json.dumps` writes: also NaN, infinity and halves of surrogate pairs."""

long_texts = st.integers(0, 3000).map(lambda length: "äb" * length)
