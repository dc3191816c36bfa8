//! Names, networks and groups.

use std::net::Ipv4Addr;

use uuid::Uuid;

use super::{
    dice::{Dice, Purpose},
    systems::Kind,
};

/// Who a computer is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Identity {
    /// `SusClientId`, in lower case.
    pub client_id: Uuid,
    /// Fully qualified name, such as `muc-l-0004711.fleet.example`.
    pub dns_name: String,
    /// Its address. Offices have networks of their own, servers are in the machine rooms.
    pub address: Ipv4Addr,
    /// Target groups that it asks for, joined by `;`; none for most.
    pub target_group: Option<String>,
}

/// Sites: short name, second number of the network, how many in a hundred computers.
const SITES: &[(&str, u8, u32)] = &[
    ("muc", 10, 24),
    ("lon", 20, 20),
    ("osl", 30, 14),
    ("par", 40, 10),
    ("nyc", 50, 12),
    ("sao", 60, 6),
    ("tyo", 70, 8),
    ("sgp", 80, 6),
];

/// Departments that ask for a group of their own by policy, and how many in a hundred computers; the others ask for none.
const GROUPS: &[(&str, u32)] = &[
    ("", 60),
    ("Pilot", 4),
    ("Finance", 8),
    ("Engineering", 12),
    ("Sales", 9),
    ("Kiosks", 3),
    ("Pilot;Engineering", 4),
];

/// The identity of computer `number`. `groups`, if there are any, replace the groups of the model.
pub(crate) fn identity(seed: u64, number: u64, kind: Kind, groups: &[String]) -> Identity {
    let mut dice = Dice::new(seed, Purpose::Identity, number);
    let client_id = dice.guid();
    let mut dice = Dice::new(seed, Purpose::Network, number);
    let (site, network, _) = dice.weighted(SITES, |site| site.2).copied().unwrap_or(("muc", 10, 1));
    let letter = match kind {
        Kind::Desktop => 'd',
        Kind::Laptop => 'l',
        Kind::Server => 's',
    };
    let dns_name = format!("{site}-{letter}-{number:07}.fleet.example");
    // 10.site.subnet.host: 192 computers to a subnet, servers in the upper half
    let subnet = (number / 192 % 96) as u8 + if kind == Kind::Server { 128 } else { 0 };
    let address = Ipv4Addr::new(10, network, subnet, 32 + (number % 192) as u8);
    let target_group = if groups.is_empty() {
        dice.weighted(GROUPS, |group| group.1).map(|group| group.0.to_owned()).filter(|name| !name.is_empty())
    } else {
        dice.pick(groups).cloned()
    };
    Identity { client_id, dns_name, address, target_group }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn computers_are_told_apart() {
        let all: Vec<_> = (0..5_000).map(|number| identity(1, number, Kind::Laptop, &[])).collect();
        assert_eq!(all.iter().map(|it| it.client_id).collect::<HashSet<_>>().len(), all.len());
        assert_eq!(all.iter().map(|it| &it.dns_name).collect::<HashSet<_>>().len(), all.len());
        let asking = all.iter().filter(|it| it.target_group.is_some()).count();
        assert!((1_700..2_300).contains(&asking), "{asking}");
    }

    #[test]
    fn given_groups_replace_those_of_the_model() {
        let groups = ["Ring 1".to_owned(), "Ring 2".to_owned()];
        for number in 0..100 {
            let group = identity(1, number, Kind::Server, &groups).target_group.expect("one of them");
            assert!(groups.contains(&group));
        }
    }
}
