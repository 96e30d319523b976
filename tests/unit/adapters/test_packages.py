"""The packages of the collection: three files of rest homes are one invoice, and an electronic invoice is read by its paths."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from integrator import places
from integrator.adapters.checking import judged
from integrator.adapters.findings import FileRefused
from integrator.adapters.layout import load
from tests.unit.adapters.kit import PEOPLE

CSV = f"""Facture;NISS;Date;Jours;Montant;Payeur;Chambre
F-1;{PEOPLE[0]};30/11/2026;30;1850,25;R;12
F-2;{PEOPLE[1]};30/11/2026;12;0,75;C;7
TOTAL;2;1851,00
"""
XML = f"""<facturen xmlns="urn:invented:resthome">
<factuur nummer="F-1"><bewoner insz="{PEOPLE[0]}"/><datum>2026-11-30</datum><dagen>30</dagen><bedrag>1850.25</bedrag><betaler>bewoner</betaler></factuur>
<factuur nummer="F-2"><bewoner insz="{PEOPLE[1]}"/><datum>2026-11-30</datum><dagen>12</dagen><bedrag>0.75</bedrag><betaler>ocmw</betaler></factuur>
</facturen>
"""
FIXED = f"""2{"F-1":<20}{PEOPLE[0]}2026113030{185025:>8}1
2{"F-2":<20}{PEOPLE[1]}2026113012{75:>8}2
9{2:>6}{"":33}{185100:>10}{"":1}
"""
INVOICE = """<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
 xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
 xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
<cbc:CustomizationID>urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0</cbc:CustomizationID>
<cbc:ProfileID>urn:fdc:peppol.eu:2017:poacc:billing:01:1.0</cbc:ProfileID>
<cbc:ID>2026/0042</cbc:ID><cbc:IssueDate>2026-11-20</cbc:IssueDate><cbc:InvoiceTypeCode>380</cbc:InvoiceTypeCode>
<cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode><cbc:BuyerReference>IX-7</cbc:BuyerReference>
<cac:AccountingSupplierParty><cac:Party><cac:PartyLegalEntity><cbc:CompanyID schemeID="0208">1970000516</cbc:CompanyID></cac:PartyLegalEntity></cac:Party></cac:AccountingSupplierParty>
<cac:AccountingCustomerParty><cac:Party><cac:PartyLegalEntity><cbc:CompanyID schemeID="0208">1992100975</cbc:CompanyID></cac:PartyLegalEntity></cac:Party></cac:AccountingCustomerParty>
<cac:PaymentMeans><cbc:PaymentID>+++000/2026/00042+++</cbc:PaymentID></cac:PaymentMeans>
<cac:TaxTotal><cbc:TaxAmount currencyID="EUR">21.00</cbc:TaxAmount></cac:TaxTotal>
<cac:LegalMonetaryTotal><cbc:LineExtensionAmount currencyID="EUR">98.00</cbc:LineExtensionAmount>
<cbc:TaxExclusiveAmount currencyID="EUR">100.00</cbc:TaxExclusiveAmount><cbc:TaxInclusiveAmount currencyID="EUR">121.00</cbc:TaxInclusiveAmount>
<cbc:AllowanceTotalAmount currencyID="EUR">3.00</cbc:AllowanceTotalAmount><cbc:ChargeTotalAmount currencyID="EUR">5.00</cbc:ChargeTotalAmount>
<cbc:PrepaidAmount currencyID="EUR">1.01</cbc:PrepaidAmount><cbc:PayableRoundingAmount currencyID="EUR">0.01</cbc:PayableRoundingAmount>
<cbc:PayableAmount currencyID="EUR">120.00</cbc:PayableAmount></cac:LegalMonetaryTotal>
<cac:InvoiceLine><cbc:ID>1</cbc:ID><cbc:LineExtensionAmount currencyID="EUR">90.50</cbc:LineExtensionAmount></cac:InvoiceLine>
<cac:InvoiceLine><cbc:ID>2</cbc:ID><cbc:LineExtensionAmount currencyID="EUR">7.50</cbc:LineExtensionAmount></cac:InvoiceLine>
</Invoice>
"""


def read(adapter: str, content: str, folder: Path) -> list[Any]:
    layout = load(places.folder("connectors") / adapter / "adapter.yaml", sandbox=frozenset())
    path = folder / "file"
    path.write_bytes(content.encode(layout.encoding))
    return list(judged(layout, path))


@pytest.mark.parametrize(
    ("adapter", "content"),
    [("resthome_csv", CSV), ("resthome_xml", XML), ("resthome_fixed", FIXED)],
    ids=["csv", "xml", "fixed"],
)
def test_three_packages_say_one_invoice(adapter: str, content: str, tmp_path: Path) -> None:
    first = {
        "invoice": "F-1",
        "resident": PEOPLE[0],
        "issued": "2026-11-30",
        "days": 30,
        "amount": Decimal("1850.25"),
        "payer": "resident",
    }
    second = first | {
        "invoice": "F-2",
        "resident": PEOPLE[1],
        "days": 12,
        "amount": Decimal("0.75"),
        "payer": "welfare",
    }

    assert [first, second] == [one.values for one in read(adapter, content, tmp_path)]


@pytest.mark.parametrize(
    ("adapter", "content"),
    [("resthome_csv", CSV.replace("1851,00", "1852,00")), ("resthome_fixed", FIXED.replace("185100", "185200"))],
    ids=["csv", "fixed"],
)
def test_a_total_that_does_not_balance_refuses_the_whole_file(adapter: str, content: str, tmp_path: Path) -> None:
    with pytest.raises(FileRefused) as refused:
        read(adapter, content, tmp_path)

    assert "SUM_DIFFERS" == refused.value.reason


def test_an_electronic_invoice_is_one_row(tmp_path: Path) -> None:
    [one] = read("ubl_invoice", INVOICE, tmp_path)

    assert () == one.findings
    assert (
        "2026/0042",
        "invoice",
        "1970000516",
        "1992100975",
        Decimal("120.00"),
        Decimal("21.00"),
        "2026-11-20",
    ) == tuple(one.values[name] for name in ("invoice", "kind", "seller", "buyer", "amount", "tax", "issued"))


@pytest.mark.parametrize(
    ("wrong", "field", "reason"),
    [
        ((">120.00", ">120,00"), "amount", "NOT_A_NUMBER"),
        (('"EUR">120', '"USD">120'), "amountCurrency", "NOT_IN_LIST"),
        (("90.50", "90.51"), "net", "TOTALS_DIFFER"),
        (("90.50", "ninety"), "lines", "NOT_A_NUMBER"),
        ((">3.00", ">2.00"), "exclusive", "TOTALS_DIFFER"),
        ((">21.00", ">20.00"), "inclusive", "TOTALS_DIFFER"),
        ((">0.01", ">0.00"), "amount", "TOTALS_DIFFER"),
        (("<cbc:BuyerReference>IX-7</cbc:BuyerReference>", ""), "buyerReference", "MISSING"),
        (("poacc:billing:3.0", "poacc:billing:2.0"), "customization", "NOT_THE_FORM"),
        (("1970000516", "1970000517"), "seller", "CHECK_DIGITS"),
        (("2026-11-20", "2026-11-31"), "issued", "NOT_A_DATE"),
        ((">380<", ">381<"), "kind", "NOT_IN_LIST"),
        (("<cbc:ID>2026/0042</cbc:ID>", ""), "invoice", "MISSING"),
        (("<cbc:ID>2026/0042</cbc:ID>", "<cbc:ID>1</cbc:ID><cbc:ID>2</cbc:ID>"), "invoice", "NOT_THE_FORM"),
    ],
    ids=[
        "decimal comma",
        "another currency",
        "lines that do not add up (BR-CO-10)",
        "a line that is no amount",
        "allowances that do not add up (BR-CO-13)",
        "tax that does not add up (BR-CO-15)",
        "rounding that does not add up (BR-CO-16)",
        "neither a reference of the buyer nor an order (R003)",
        "another specification",
        "no such enterprise",
        "no such day",
        "a credit note",
        "no number",
        "two numbers",
    ],
)
def test_an_invoice_that_is_not_right_waits(wrong: tuple[str, str], field: str, reason: str, tmp_path: Path) -> None:
    [one] = read("ubl_invoice", INVOICE.replace(*wrong), tmp_path)

    assert (field, reason) in {(finding.field, finding.reason) for finding in one.findings}


def test_a_document_that_opens_entities_is_refused(tmp_path: Path) -> None:
    bomb = '<!DOCTYPE Invoice [<!ENTITY a "aaaa">]>' + INVOICE.replace("2026/0042", "&a;")

    with pytest.raises(FileRefused):
        read("ubl_invoice", bomb, tmp_path)
