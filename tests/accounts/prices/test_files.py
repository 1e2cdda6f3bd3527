"""A rate card as a file: what is understood, to the nano-AIU, and how its mistakes are told."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.prices.files import NANO_PER_USD, CardFault, PriceLine, read_card, shipped_card
from tests.accounts.cards import JULY, JUNE

HEADING = "model,above_input_tokens,input_usd,cached_input_usd,cache_write_usd,output_usd,valid_from"


def fault(*lines: str) -> str:
    with pytest.raises(CardFault) as caught:
        read_card("\n".join(lines), JULY)
    return str(caught.value)


def test_dollars_become_nano_aiu_exactly_and_empty_cells_stay_empty() -> None:
    lines = read_card(f"{HEADING}\nopus,0,5,0.5,6.25,25,2026-06-01\nmini,,.1,,0.125,0.00000000001,\n", JULY)
    assert lines == (
        PriceLine("opus", 0, JUNE, 500 * 10**9, 50 * 10**9, 625 * 10**9, 2500 * 10**9),
        PriceLine("mini", 0, JULY, 10**10, None, 125 * 10**8, 1),
    )


def test_columns_may_stand_in_any_order_and_those_that_can_be_empty_may_be_missing() -> None:
    lines = read_card("output_usd,model,input_usd\r\n2,m,1\r\n", JULY)
    assert lines == (PriceLine("m", 0, JULY, 10**11, None, None, 2 * 10**11),)


def test_a_mark_of_byte_order_quotes_spaces_and_remarks_do_no_harm() -> None:
    text = '\ufeff# prices\nmodel, input_usd ,output_usd\n\n# more\n"m", 1 ,"2"\n'
    assert [line.model for line in read_card(text, JULY)] == ["m"]


def test_the_tiers_and_days_of_a_model_are_lines_of_their_own() -> None:
    text = f"{HEADING}\nm,0,1,,,2,\nm,200000,2,,,3,\nm,0,4,,,5,2026-06-01\n"
    assert [line.key for line in read_card(text, JULY)] == [("m", JULY, 0), ("m", JULY, 200_000), ("m", JUNE, 0)]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (",0,1,,,2,", "Line 2, column model: a model's id is needed, not ''."),
        ("a b,0,1,,,2,", "column model: a model's id is needed, not 'a b'."),
        (f"{'x' * 201},0,1,,,2,", "column model"),
        ("m,-1,1,,,2,", "Line 2, column above_input_tokens: a number of tokens is needed, not '-1'."),
        ("m,1.5,1,,,2,", "column above_input_tokens"),
        ("m,²,1,,,2,", "column above_input_tokens"),
        ("m,2147483648,1,,,2,", "column above_input_tokens: 2147483648 is too large"),
        ("m,0,,,,2,", "Line 2, column input_usd: a price is needed, not ''."),
        ("m,0,1,,,,", "Line 2, column output_usd: a price is needed, not ''."),
        ("m,0,-1,,,2,", "column input_usd: a price in US dollars is needed, not '-1'."),
        ("m,0,1,nan,,2,", "column cached_input_usd"),
        ("m,0,1,,inf,2,", "column cache_write_usd"),
        ("m,0,1e3,,,2,", "column input_usd"),
        ("m,0,$1,,,2,", "column input_usd"),
        ("m,0,0.000000000001,,,2,", "column input_usd: a price has at most eleven decimals, not '0.000000000001'."),
        ("m,0,99999999,,,2,", "column input_usd: the price is too high, not '99999999'."),
        ("m,0,1,,,2,yesterday", "Line 2, column valid_from: a day is needed, as 2026-06-01, not 'yesterday'."),
        ("m,0,1,,,2,2026-02-30", "column valid_from"),
        ("m,0,1,,2", "Line 2 has 5 columns, the heading 7."),
        ('m,0,"1,,,2,', "Line 2 is not comma-separated"),
        ("m,5,1,,,2,", "Line 2, column above_input_tokens: m has no line for 0, its first tier."),
    ],
)
def test_a_mistake_is_told_with_its_line_and_column(line: str, told: str) -> None:
    assert told in fault(HEADING, line)


def test_lines_are_counted_as_an_editor_counts_them() -> None:
    assert fault("# a", "", HEADING, "m,0,1,,,2,", "# b", "n,0,x,,,2,").startswith("Line 6, column input_usd")


def test_what_is_there_twice_is_told_with_both_lines() -> None:
    told = fault(HEADING, "m,0,1,,,2,", "n,0,1,,,2,", "m,0,3,,,4,2026-07-01")
    assert told == "Line 4, column model: m has this tier in line 2, too."


@pytest.mark.parametrize(
    ("heading", "told"),
    [
        ("model,input_usd", "Line 1: the column output_usd is missing."),
        ("model,input_usd,output_usd,cached_usd", "Line 1, column 'cached_usd': not known; columns are model, "),
        ("model,input_usd,output_usd,model", "Line 1, column model: it is there twice."),
    ],
)
def test_a_heading_that_is_not_known_is_not_guessed_at(heading: str, told: str) -> None:
    assert told in fault(heading, "m,1,2,3")


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing\n", HEADING])
def test_a_file_without_prices_is_a_mistake(text: str) -> None:
    assert fault(text) == "There are no prices in the file."


def test_the_shipped_card_can_be_read_and_begins_when_billing_by_token_began() -> None:
    lines = shipped_card()
    assert {line.valid_from for line in lines} == {JUNE}
    told = {(line.model, line.above_input_tokens): line for line in lines}
    opus, long_grok = told["claude-opus-4.5", 0], told["grok-4.5", 200_000]
    assert tuple(opus.amounts.values()) == (500 * 10**9, 50 * 10**9, 625 * 10**9, 2500 * 10**9)
    assert tuple(long_grok.amounts.values()) == (400 * 10**9, 100 * 10**9, None, 1200 * 10**9)


@given(st.integers(0, 2**63 - 1))
def test_every_amount_survives_being_written_in_dollars(nano: int) -> None:
    usd = f"{Decimal(nano) / NANO_PER_USD:f}"
    (line,) = read_card(f"model,input_usd,output_usd\nm,{usd},0\n", date(2026, 1, 1))
    assert line.input_nano == nano


@given(st.text())
def test_no_text_at_all_is_read_wrongly_without_saying_so(text: str) -> None:
    """Either every line with something in it became a price, or the card is refused in one sentence."""
    body = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    with suppress(CardFault):
        assert len(read_card(f"model,input_usd,output_usd\n{text}", JULY)) == len(body)
