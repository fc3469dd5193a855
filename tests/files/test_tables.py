"""Tables as instruments, programs and people write them: layout, encoding, numbers, units, workbooks."""

import numpy as np
import openpyxl
import pytest

import mtjax as mtj
from mtjax.files import in_si, is_unit, number_in, read_columns, read_rows, read_table, readings

ROWS = [("450", "1.5", "3"), ("500", "1.5", "41"), ("550", "1.5", "97")]


@pytest.fixture
def written(tmp_path):
    def write(text, encoding="utf-8", name="table.txt"):
        path = tmp_path / name
        path.write_bytes(text.encode(encoding) if isinstance(text, str) else text)
        return path

    return write


def lines(between, heading="", rows=ROWS):
    return "\n".join([*([heading] if heading else []), *(between.join(row) for row in rows)]) + "\n"


HEADINGS = ("V (mV)", "t (ns)", "P")
GERMAN = [tuple(entry.replace(".", ",") for entry in row) for row in ROWS]
LAYOUTS = {
    "commas": lines(",", "V (mV),t (ns),P"),
    "commas and blanks": lines(" , ", " V (mV) , t (ns) , P "),
    "semicolons, decimal commas": lines(";", "V (mV);t (ns);P", GERMAN),
    "tabs": lines("\t", "V (mV)\tt (ns)\tP"),
    "blanks": lines("   ", "V (mV)   t (ns)   P"),
    "blanks, decimal commas": lines(" ", "V (mV) t (ns) P", GERMAN),
    "bars": lines(" | ", "V (mV) | t (ns) | P"),
    "markdown": lines(" | ", "V (mV) | t (ns) | P\n--- | --- | ---"),
    "quotes": lines('","', 'V (mV)","t (ns)","P').replace("\n", '"\n"').join(('"', "")).removesuffix('"'),
    "blank lines": lines(",\n\n".replace("\n", ""), "V (mV),t (ns),P").replace("\n", "\n\n\t\n"),
    "Windows": lines(",", "V (mV),t (ns),P").replace("\n", "\r\n"),
    "old Macintosh": lines(",", "V (mV),t (ns),P").replace("\n", "\r"),
    "comments": "# chip 7\n% T = 300 K\n// by night\n" + lines(",", "V (mV),t (ns),P"),
    "heading in a comment": "# chip 7\n" + lines(" ", "# V (mV) t (ns) P"),
    "heading in a comment, cut otherwise": lines(" ", "# V (mV), t (ns), P"),
    "units in a row of their own": lines("\t", "V\tt\tP\nmV\tns\t"),
    "units and remarks": lines("\t", "V\tt\tP\n(mV)\t(ns)\t\nrun 1\tset\tread"),
    "words of the instrument above": "Keithley,2400\nOperator,A. Person\nDate,2024-05-05\n\n" + lines(",", "V (mV),t (ns),P"),
    "words below": lines(",", "V (mV),t (ns),P") + "\nEnd of measurement\n",
    "headings again": lines(",", "V (mV),t (ns),P", ROWS[:2]) + lines(",", "V (mV),t (ns),P", ROWS[2:]),
    "a comma too many": lines(",", "V (mV),t (ns),P,").replace("\n", ",\n").replace("P,,", "P,"),
}


@pytest.mark.parametrize("text", LAYOUTS.values(), ids=LAYOUTS)
def test_layouts_are_found_out(written, text):
    table = read_table(written(text))
    assert table.headings[:3] == HEADINGS
    np.testing.assert_array_equal([table.numbers(i) for i in range(3)], np.array(ROWS, float).T)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_encodings_are_found_out(written, encoding):
    table = read_table(written(lines("\t", "I (µA)\tt (ns)\tP"), encoding))
    assert table.headings[0] == "I (µA)"
    assert table.numbers(0, unit="µA", si="A").tolist() == pytest.approx([450e-6, 500e-6, 550e-6])


def test_no_heading_and_lines_of_nothing(written):
    table = read_table(written("0.45\t0\n\t\n0.50\t4.00E-04\n\t\n"))
    assert str(table) == "'table.txt': 2 rows in lines 1 to 3 without headings, parted by tabs, with decimal points"
    assert table.numbers(1).tolist() == [0, 4e-4]
    with pytest.raises(ValueError, match="has no heading"):
        read_rows(written("0.45\t0\n0.50\t1\n"))


def test_a_line_end_inside_quotation_marks_is_no_line_end(written):
    table = read_table(written('I,R\n0,"1.95\n"\n0.5,"1.97\n"\n'))
    assert table.numbers(1).tolist() == [1.95, 1.97]
    assert [row.line for row in table.rows] == [2, 4]


NUMBERS = {
    (".", "1,234.5"): 1234.5, (".", "1,234"): 1234.0, (".", "-2.5e-9"): -2.5e-9, (".", "2.5D-09"): 2.5e-9, (".", "\u22125"): -5.0,
    (".", ".5"): 0.5, (".", "0,45"): None, (".", "1_000"): None, (".", "0x10"): None, (".", ""): None, (".", "1e"): None,
    (",", "1.234,5"): 1234.5, (",", "1.234"): 1234.0, (",", "0,45"): 0.45, (",", "1,5e-9"): 1.5e-9, (",", "0.45"): None,
    (",", ",5"): 0.5, (",", "100"): 100.0,
}  # fmt: skip


@pytest.mark.parametrize(("decimal", "text"), NUMBERS)
def test_numbers(decimal, text):
    assert number_in(text, decimal) == NUMBERS[decimal, text]


def test_one_number_is_enough_to_know_the_decimal_mark(written):
    table = read_table(written("a;b\n1,234;7\n0,5;7\n"))
    assert table.numbers(0).tolist() == [1.234, 0.5]
    table = read_table(written("a;b\n1,234;7\n0.5;7\n"))
    assert table.numbers(0).tolist() == [1234, 0.5]
    assert read_table(written("a;b\n1,234;7\n2,345;7\n"), decimal=",").numbers(0).tolist() == [1.234, 2.345]
    assert read_table(written("a;b\n1,234;7\n2,345;7\n"), decimal=".").numbers(0).tolist() == [1234, 2345]


UNITS = {
    ("mV", "V"): 1e-3, ("NS", "s"): 1e-9, ("nsec", "s"): 1e-9, ("microseconds", "s"): 1e-6, ("uA", "A"): 1e-6, ("µA", "A"): 1e-6,
    ("μA", "A"): 1e-6, ("A/m^2", "A/m^2"): 1.0, ("A/m²", "A/m^2"): 1.0, ("MA/cm2", "A/m^2"): 1e10, ("A cm^-2", "A/m^2"): 1e4,
    ("10^6 A/cm^2", "A/m^2"): 1e10, ("A/m**2", "A/m^2"): 1.0, ("Oe", "T"): 1e-4, ("kOe", "T"): 0.1, ("mT", "T"): 1e-3, ("G", "T"): 1e-4,
    ("kA/m", "T"): 4e-4 * np.pi, ("%", ""): 0.01, ("percent", ""): 0.01, ("kΩ", "ohm"): 1e3, ("kOhm", "ohm"): 1e3,
}  # fmt: skip


@pytest.mark.parametrize(("unit", "si"), UNITS)
def test_units(unit, si):
    assert in_si(2.0, unit, si) == pytest.approx(2 * UNITS[unit, si], rel=1e-8)


@pytest.mark.parametrize("text", ["sw", "P", "9**9**9", "__import__('os')", "1", "", "x y", "mV)("])
def test_what_is_no_unit(text):
    assert not is_unit(text) or text == "mV)("
    with pytest.raises(ValueError, match="must be one like V, but is 'ns'"):
        in_si(1.0, "ns", "V")


def test_celsius_and_shares():
    assert in_si([25.0, -196.0], "°C", "K").tolist() == pytest.approx([298.15, 77.15])
    assert in_si(0.3, "a.u.", "") == 0.3


def test_headings_in_many_spellings():
    spelled = ("V (mV)", "V [mV]", "V_mV", "V/mV", "V, mV", "V in mV", "V mV", "V {mV}", "V <mV>")
    assert {next(readings(heading)) for heading in spelled} == {("V", "mV")}
    assert next(readings("J_A_per_m2")) == ("J", "A/m2")
    assert next(readings("P(switch)")) == ("P(switch)", "")


def test_entries_with_units_of_their_own(written):
    table = read_table(written("V,t,P\n450 mV,1 ns,3 %\n0.5 V,2 ns,50 %\n"))
    assert table.numbers(0, si="V").tolist() == pytest.approx([0.45, 0.5])
    assert table.numbers(2).tolist() == pytest.approx([0.03, 0.5])
    with pytest.raises(ValueError, match=r"'t', line 2: The unit must be one like V, but is 'ns'"):
        table.numbers(1, si="V")


REFUSED = {
    "": "is empty",
    " \n\n": "is empty",
    "V,P\n": "at least one row of numbers, but has none",
    "Not a table.\nAt all.\n": "at least one row of numbers, but has none",
    "V\n0.1\n0.2\n": "must be a table of several columns, but line 2 is '0.1'",
    b"\x00\x01\x02\x03" * 40: "is a binary file",
    b"\x89PNG\r\n\x1a\n12": "is a picture",
    b"PK\x03\x04 and so on": "is a zip archive",
    b"%PDF-1.4 1 2 3": "is a PDF document",
    "V,P\n1,2\n3,4,5\n6,7\n": "must have 2 entries in every line, but line 3 has 3",
    "V,P\n0,1,0,2\n0,3,0,4\n": "decimal commas cannot be told from commas between columns",
    'V,P\n1,2\n3,"4\n5,6\n7,8\n9,10\n11,12\n': "close every quotation mark, but that of line 3 is left open",
    "V;P\n1,234;1\n2,345;1\n": r"can be 1.234 \(a decimal comma\) or 1234 \(a comma between thousands\)",
    "V;P\n0.5;1\n0,6;1\n": "decimal points or decimal commas, but line 2 has '0.5' and line 3 '0,6'",
}


@pytest.mark.parametrize(("text", "sentence"), REFUSED.items())
def test_what_is_no_table_is_refused_in_one_sentence(written, text, sentence):
    with pytest.raises(ValueError, match=sentence) as error:
        read_table(written(text))
    assert "\n" not in str(error.value)


def test_a_second_table_is_refused(written):
    first, second = lines(",", "V,t,P"), lines(",", "I,t,P")
    with pytest.raises(ValueError, match="must hold one table"):
        read_table(written(first + "\n" + second))
    with pytest.raises(ValueError, match="must hold one table, but another one begins in line 2"):
        read_table(written(first + "\n" + second + "1,2,3\n"))


def test_a_file_that_cannot_be_opened(written, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="must exist"):
        read_table(tmp_path / "nothing.csv")
    with pytest.raises(ValueError, match="is a folder"):
        read_table(tmp_path)

    def denied(self):
        raise PermissionError(13, "Permission denied")

    path = written(lines(",", "V,t,P"))
    monkeypatch.setattr(type(path), "read_bytes", denied)
    with pytest.raises(ValueError, match="must be readable, but .* is not: Permission denied"):
        read_table(path)


def test_duplicate_headings_are_refused_where_they_are_read(written):
    path = written("V,V,P\n1,2,3\n4,5,6\n")
    assert read_table(path).numbers(2).tolist() == [3, 6]
    with pytest.raises(ValueError, match="one column 'V', but columns 1 and 2 are called so"):
        read_columns(path, {"voltage": {"V": 1.0}})
    with pytest.raises(ValueError, match="one column 'V'"):
        read_rows(path)


def book(path, **sheets):
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name, rows in sheets.items():
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(row)
    made.save(path)
    return path


def test_workbooks(tmp_path, written, monkeypatch):
    rows = [["chip 7"], [], ["V (mV)", "t (ns)", "P"], *([float(x) for x in row] for row in ROWS)]
    one = read_table(book(tmp_path / "one.xlsx", data=rows, empty=[]))
    assert one.headings == HEADINGS
    np.testing.assert_array_equal([one.numbers(i) for i in range(3)], np.array(ROWS, float).T)
    assert one.rows[0].line == 4
    two = book(tmp_path / "two.xlsx", first=rows, second=rows[2:])
    with pytest.raises(ValueError, match="several sheets, 'first', 'second': say which"):
        read_table(two)
    assert read_table(two, sheet="second").rows[0].line == 2
    with pytest.raises(ValueError, match="must have the sheet 'third', but has 'first', 'second'"):
        read_table(two, sheet="third")
    with pytest.raises(ValueError, match="must be a workbook, but cannot be read"):
        read_table(written("V,P\n1,2\n", name="false.xlsx"))
    with pytest.raises(ValueError, match="is empty"):
        read_table(book(tmp_path / "none.xlsx", empty=[]))
    monkeypatch.setitem(__import__("sys").modules, "python_calamine", None)
    with pytest.raises(ImportError, match=r"pip install 'mtjax\[excel\]'"):
        read_table(two)


def test_the_face_reads_what_it_read():
    assert mtj.files.as_number("2.5e-9", "width", 1, "x.csv") == 2.5e-9
