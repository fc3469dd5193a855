import pytest
from printed import modules_of, prints_as_it_says


@pytest.mark.parametrize("name", modules_of("resonance"))
def test_examples_run_as_printed(name):
    assert prints_as_it_says(name)
