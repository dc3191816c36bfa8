//! Company, product families, products and classifications.

use uuid::Uuid;
use weir_model::{ids::UpdateId, update::CategoryKind};
use weir_testkit::Document;

use super::{release::Maker, rules};

/// What updates belong to.
#[derive(Clone, Debug)]
pub(super) struct Products {
    pub(super) critical: UpdateId,
    pub(super) definitions: UpdateId,
    pub(super) drivers: UpdateId,
    pub(super) rollups: UpdateId,
    pub(super) security: UpdateId,
    pub(super) updates: UpdateId,
    pub(super) upgrades: UpdateId,
    pub(super) windows: UpdateId,
    pub(super) office: UpdateId,
    pub(super) databases: UpdateId,
}

/// Classifications by their genuine ids (facts of the catalogue, section 3), which criteria of administrators name.
const CLASSIFICATIONS: [(&str, u128); 7] = [
    ("Critical Updates", 0xe6cf_1350_c01b_414d_a61f_263d_14d1_33b4),
    ("Definition Updates", 0xe078_9628_ce08_4437_be74_2495_b842_f43b),
    ("Drivers", 0xebfc_1fc5_71a4_4f7b_9aca_3b9a_5031_04a0),
    ("Update Rollups", 0x28bc_880e_0592_4cbf_8f95_c79b_1791_1d5f),
    ("Security Updates", 0x0fa1_201d_4330_4fa8_8ae9_b877_473b_6441),
    ("Updates", 0xcd5f_fd1e_e932_4e3a_bf74_18bf_0b1b_bd83),
    ("Upgrades", 0x3689_bdc8_b205_4af4_8d4a_a639_24c5_e9d5),
];

impl Products {
    /// Adds the tree.
    pub(super) fn add(maker: &mut Maker) -> Self {
        let [critical, definitions, drivers, rollups, security, updates, upgrades] =
            CLASSIFICATIONS.map(|(title, id)| {
                maker.add(
                    Document::category(UpdateId(Uuid::from_u128(id)), 100, CategoryKind::UpdateClassification)
                        .title(title),
                )
            });
        let company = maker.id("company/Microsoft");
        maker.add(Document::category(company, 100, CategoryKind::Company).title("Microsoft"));
        let mut family = |title: &str| {
            let id = maker.id(&format!("family/{title}"));
            maker.add(Document::category(id, 100, CategoryKind::ProductFamily).title(title).in_category(company))
        };
        let windows = family("Windows");
        let office = family("Office");
        let databases = family("SQL Server");
        Self { critical, definitions, drivers, rollups, security, updates, upgrades, windows, office, databases }
    }
}

/// Adds a product below a family; a computer has it if the rule holds. The same title is added once.
pub(super) fn product(maker: &mut Maker, family: UpdateId, title: &str, rule: &str) -> UpdateId {
    let id = maker.id(&format!("product/{title}"));
    if !maker.has(id) {
        let document = Document::category(id, 100, CategoryKind::Product).title(title).in_category(family);
        maker.add(document.installed_if(rule));
    }
    id
}

/// Adds a detectoid that needs what is named. The same title is added once.
pub(super) fn detectoid(maker: &mut Maker, needs: &[UpdateId], title: &str, rule: &str) -> UpdateId {
    let id = maker.id(&format!("detectoid/{title}"));
    if !maker.has(id) {
        let document = Document::detectoid(id, 101).title(title);
        let document = needs.iter().fold(document, |document, id| document.requires(*id));
        maker.add(document.installed_if(rule));
    }
    id
}

/// A workstation (not a server) from this build of Windows 10 on.
pub(super) fn client_rule(from: u32, below: Option<u32>) -> String {
    let mut parts = vec![rules::windows_from(10, 0, from), rules::workstation()];
    if let Some(below) = below {
        parts.push(rules::not(&rules::windows_from(10, 0, below)));
    }
    rules::all(&parts)
}

/// A server, a domain controller or not, from this build on.
pub(super) fn server_rule(from: u32, below: Option<u32>) -> String {
    let mut parts = vec![rules::windows_from(10, 0, from), rules::not(&rules::workstation())];
    if let Some(below) = below {
        parts.push(rules::not(&rules::windows_from(10, 0, below)));
    }
    rules::all(&parts)
}
