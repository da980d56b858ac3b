"""What may be a symbol."""

import pytest

from marketdata.symbols import InvalidSymbol, checked, is_symbol


@pytest.mark.parametrize("text", ["SPX", "BRK.B", "BTC/USD", "ES-Z6", "3M", "A" * 32])
def test_symbols(text):
    assert is_symbol(text)
    assert checked(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "", "A" * 33, "spx", "Spx", "AAPL;DROP TABLE", "<script>", "AAPL ", " AAPL", "AAPL\n",
        "\u202eAAPL", "😀", "ÄPFEL", "٣M", ".A", "-A", "/A", "A_B", "SPX\x00",
    ],
)  # fmt: skip
def test_anything_else_is_refused(text):
    assert not is_symbol(text)
    with pytest.raises(InvalidSymbol) as refused:
        checked(text)
    assert (refused.value.code, refused.value.http_status) == ("invalid_symbol", 422)
    assert refused.value.errors[0].field == "symbol"
