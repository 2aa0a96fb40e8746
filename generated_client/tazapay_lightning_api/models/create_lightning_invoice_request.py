from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="CreateLightningInvoiceRequest")


@_attrs_define
class CreateLightningInvoiceRequest:
    """
    Attributes:
        amount (int): Amount in BTC. The precision is 8 decimal places
        d_tag_memo (str | Unset): This will be included in the d-tag. If both d_tag_memo and h_tag_memo are provided,
            only h_tag will be used
        h_tag_memo (str | Unset): SHA-256 of the d_tag_memo. If both d_tag_memo and h_tag_memo are provided, only
            h_tag_memo will be used
        expiry_interval (int | Unset): The expiry of the invoice in seconds. Default value is 3600 (1 hour)
        metadata (str | Unset): Set of key-value pairs to attach to the lightning_invoice_bolt11 object
    """

    amount: int
    d_tag_memo: str | Unset = UNSET
    h_tag_memo: str | Unset = UNSET
    expiry_interval: int | Unset = UNSET
    metadata: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        amount = self.amount

        d_tag_memo = self.d_tag_memo

        h_tag_memo = self.h_tag_memo

        expiry_interval = self.expiry_interval

        metadata = self.metadata

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "amount": amount,
            }
        )
        if d_tag_memo is not UNSET:
            field_dict["d_tag_memo"] = d_tag_memo
        if h_tag_memo is not UNSET:
            field_dict["h_tag_memo"] = h_tag_memo
        if expiry_interval is not UNSET:
            field_dict["expiry_interval"] = expiry_interval
        if metadata is not UNSET:
            field_dict["metadata"] = metadata

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        amount = d.pop("amount")

        d_tag_memo = d.pop("d_tag_memo", UNSET)

        h_tag_memo = d.pop("h_tag_memo", UNSET)

        expiry_interval = d.pop("expiry_interval", UNSET)

        metadata = d.pop("metadata", UNSET)

        create_lightning_invoice_request = cls(
            amount=amount,
            d_tag_memo=d_tag_memo,
            h_tag_memo=h_tag_memo,
            expiry_interval=expiry_interval,
            metadata=metadata,
        )

        create_lightning_invoice_request.additional_properties = d
        return create_lightning_invoice_request

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
