//! Delivery Optimization (features 26.6) and limits of background transfers.

use super::super::known::{
    Branch::{Bits, Delivery},
    Known,
    Shape::{Choice, Flag, Number, Text},
};
use super::value;

const LIMIT: &str = "Limit the maximum network bandwidth for BITS background transfers";
const MOST_RATE: u32 = 4_200_000;

pub(super) const TABLE: &[Known] = &[
    value(
        Delivery,
        "DODownloadMode",
        Choice(&[0, 1, 2, 3, 99, 100]),
        "Download Mode",
        "Where files come from: 0 HTTP only, 1 with computers of the network, 2 of the group, 3 of the internet, 99 simple, \
         100 bypass (BITS).",
    )
    .csp("DeliveryOptimization/DODownloadMode")
    .windows("Windows 10 and later; 100 is gone since Windows 11"),
    value(Delivery, "DOGroupId", Text(64), "Group ID", "The group of DODownloadMode 2, a GUID.")
        .csp("DeliveryOptimization/DOGroupId")
        .windows("Windows 10 and later"),
    value(
        Delivery,
        "DOGroupIdSource",
        Number(0, 5),
        "Select the source of Group IDs",
        "What makes up the group of DODownloadMode 2: 1 Active Directory site, 2 domain, 3 DHCP, 4 DNS suffix, 5 tenant.",
    )
    .csp("DeliveryOptimization/DOGroupIdSource")
    .windows("Windows 10 1803 and later"),
    value(Delivery, "DOCacheHost", Text(1_024), "Cache Server Hostname", "Cache servers, separated by commas.")
        .csp("DeliveryOptimization/DOCacheHost")
        .windows("Windows 10 1809 and later"),
    value(Bits, "EnableBITSMaxBandwidth", Flag, LIMIT, "1: the values of this policy are used.").reported(),
    value(Bits, "MaxTransferRateOnSchedule", Number(0, MOST_RATE), LIMIT, "Kilobits a second within the hours.")
        .reported(),
    value(Bits, "MaxBandwidthValidFrom", Number(0, 23), LIMIT, "Hour at which the limit begins.").reported(),
    value(Bits, "MaxBandwidthValidTo", Number(0, 23), LIMIT, "Hour at which the limit ends.").reported(),
    value(Bits, "UseSystemMaximum", Flag, LIMIT, "1: no limit at other hours.").reported(),
    value(Bits, "MaxTransferRateOffSchedule", Number(0, MOST_RATE), LIMIT, "Kilobits a second at other hours.")
        .reported(),
];
