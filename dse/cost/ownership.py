"""From dollars to make a group of devices to dollars per hour and per million tokens."""

from __future__ import annotations

from typing import NamedTuple

from dse.fields import Field, Table
from dse.units import HOURS_PER_YEAR, KILO, MEGA, SECONDS_PER_HOUR


class Ownership(NamedTuple):
    """What owning a group costs; power is the group's average."""

    price_over_cost: float
    lifetime_hours: float
    utilisation: float
    usd_per_watt_hour: float
    pue: float
    datacenter_usd_per_w_hour: float
    opex_share_per_hour: float


OWNERSHIP = Table(
    "cost.ownership",
    Ownership,
    (
        Field("price_over_cost", "price_over_cost", "price paid over the cost to make", constant=True, unit="x"),
        Field("lifetime_years", "lifetime_hours", "years of service", HOURS_PER_YEAR, constant=True, unit="years"),
        Field("utilisation", "utilisation", "share of the hours in which the group does its work", maximum=1.0,
              constant=True, unit="share"),
        Field("usd_per_kwh", "usd_per_watt_hour", "price of electricity", 1.0 / KILO, closed=True, constant=True,
              unit="USD/kWh"),
        Field("pue", "pue", "power of the data centre over power of its machines", 1.0, 1.0, closed=True,
              constant=True, unit="1"),
        Field("datacenter_usd_per_w_year", "datacenter_usd_per_w_hour", "building and cooling, a year of it",
              1.0 / HOURS_PER_YEAR, closed=True, constant=True, unit="USD per W and year"),
        Field("opex_share_per_year", "opex_share_per_hour", "repair and staff, as a share of the price",
              1.0 / HOURS_PER_YEAR, closed=True, constant=True, unit="share per year"),
    ),
    choices=("name",),
).checked()


def usd_per_hour(group_usd: float, group_power_w: float, ownership: Ownership) -> float:
    """Dollars of an hour of work of the group, nominal, at the dates of its constants.

    (capital / lifetime + other opex) / utilisation, for an idle hour is paid too; electricity with PUE and the data
    centre's share by average power. `group_usd` is the cost to make; `price_over_cost` turns it into a buyer's price.
    """
    capital_usd = group_usd * ownership.price_over_cost
    machines = capital_usd * (1.0 / ownership.lifetime_hours + ownership.opex_share_per_hour)
    building = group_power_w * ownership.datacenter_usd_per_w_hour
    electricity = group_power_w * ownership.pue * ownership.usd_per_watt_hour
    return (machines + building) / ownership.utilisation + electricity


def usd_per_million_tokens(hourly_usd: float, tokens_per_s: float) -> float:
    """Dollars of a million tokens of a group that makes `tokens_per_s`."""
    return hourly_usd * MEGA / (tokens_per_s * SECONDS_PER_HOUR)
