//! The browser, Office and databases. Versions grow with the months as on modelled computers.

use uuid::Uuid;
use weir_model::{document::RebootBehavior, ids::UpdateId};

use super::{
    Kind,
    calendar::Month,
    products::{Products, detectoid, product},
    release::{HISTORY, Maker, Part, Release},
    rules,
    texts::{self, Texts},
};

/// Adds all of them.
pub(super) fn add(maker: &mut Maker, products: &Products) {
    browser(maker, products);
    click_to_run(maker, products);
    suite(maker, products);
    database(maker, products, 2019, 15, (4_405, 2));
    database(maker, products, 2022, 16, (4_155, 5));
}

/// Months since two years before the newest one.
fn number(maker: &Maker, month: Month) -> u32 {
    u32::try_from(HISTORY - maker.month.since(month)).unwrap_or(0)
}

fn browser(maker: &mut Maker, products: &Products) {
    const KEY: &str = r"SOFTWARE\WOW6432Node\Microsoft\EdgeUpdate\Clients\{56EB18F8-B008-4CBD-B6D2-8C97FE7E9062}";
    let product = product(maker, products.windows, "Microsoft Edge", &rules::value(KEY, "pv"));
    let mut before = None;
    for month in maker.months(HISTORY) {
        let number = number(maker, month);
        let version = format!("{}.0.{}.{}", 130 + number, 2_849 + number * 41, 40 + number);
        let values = [("product", "Microsoft Edge-Stable Channel"), ("version", version.as_str())];
        let release = Release {
            key: format!("browser/{month}"),
            kind: Kind::Application,
            day: month.second_tuesday(),
            texts: Texts::fill(texts::VERSIONED, "x64", &values, None),
            categories: vec![products.updates, product],
            needs: vec![product],
            supersedes: before,
            reboot: RebootBehavior::NeverReboots,
            parts: vec![vec![Part {
                name: "browser".to_owned(),
                file: format!("microsoftedge-{version}.exe"),
                size: 48 * 1024,
                installed: rules::version_from(KEY, "pv", &version),
                installable: rules::value(KEY, "pv"),
            }]],
            ..Release::default()
        };
        before = maker.release(release, false).or(before);
    }
}

fn click_to_run(maker: &mut Maker, products: &Products) {
    const KEY: &str = r"SOFTWARE\Microsoft\Office\ClickToRun\Configuration";
    let title = "Microsoft 365 Apps/Office 2019/Office LTSC";
    let product = product(maker, products.office, title, &rules::key(KEY));
    let rule = rules::text(KEY, "ProductReleaseIds", "O365ProPlusRetail");
    let detectoid = detectoid(maker, &[product], "Microsoft 365 Apps for enterprise", &rule);
    let mut before = None;
    for month in maker.months(HISTORY) {
        let number = number(maker, month);
        let version = format!("16.0.{}.{}", 18_129 + number * 87, 20_116 + number * 4);
        let values = [("product", "Microsoft 365 Apps - Monthly Channel"), ("version", version.as_str())];
        let release = Release {
            key: format!("click-to-run/{month}"),
            kind: Kind::Application,
            day: month.second_tuesday(),
            minutes: 30,
            texts: Texts::fill(texts::VERSIONED, "x64", &values, None),
            categories: vec![products.security, product],
            needs: vec![detectoid],
            supersedes: before,
            severity: Some("Important"),
            reboot: RebootBehavior::NeverReboots,
            parts: vec![vec![Part {
                name: "suite".to_owned(),
                file: format!("office-{version}.cab"),
                size: 96 * 1024,
                installed: rules::version_from(KEY, "VersionToReport", &version),
                installable: rules::key(KEY),
            }]],
            ..Release::default()
        };
        before = maker.release(release, false).or(before);
    }
}

/// Office 2016 of Windows Installer: every second month a bundle with a part for each of two programs.
fn suite(maker: &mut Maker, products: &Products) {
    const CODE: Uuid = Uuid::from_u128(0x9016_0000_0011_0000_0000_0000_000f_f1ce);
    let product = product(maker, products.office, "Office 2016", &rules::msi_products(&[CODE]));
    let mut before = None;
    for month in maker.months(HISTORY).filter(|month| month.since(Month::new(2024, 1)) % 2 == 0) {
        let version = format!("16.0.{}.1000", 5_469 + number(maker, month) * 2);
        let article = maker.article(month, "office/2016");
        let text = month.to_string();
        let values = [("month", text.as_str()), ("product", "Office 2016")];
        let part = |name: &str| Part {
            name: name.to_owned(),
            file: format!("{}2016-kb{article}-fullfile-x64-glb.exe", name.to_lowercase()),
            size: 60 * 1024,
            installed: rules::file_from(
                rules::PROGRAMS_X86,
                &format!(r"Microsoft Office\Office16\{name}.EXE"),
                &version,
            ),
            installable: rules::msi_products(&[CODE]),
        };
        let release = Release {
            key: format!("office/2016/{month}"),
            kind: Kind::Application,
            day: month.second_tuesday(),
            texts: Texts::fill(texts::APPLICATION, "x64", &values, Some(article)),
            categories: vec![products.security, product],
            needs: vec![product],
            supersedes: before,
            severity: Some("Important"),
            reboot: RebootBehavior::CanRequestReboot,
            parts: vec![vec![part("EXCEL")], vec![part("OUTLOOK")]],
            ..Release::default()
        };
        before = maker.release(release, true).or(before);
    }
}

/// A database: a cumulative update in each quarter, with a licence.
fn database(maker: &mut Maker, products: &Products, year: u32, major: u32, (start, step): (u32, u32)) {
    let setup = format!(r"SOFTWARE\Microsoft\Microsoft SQL Server\MSSQL{major}.MSSQLSERVER\Setup");
    let title = format!("SQL Server {year}");
    let product: UpdateId =
        product(maker, products.databases, &format!("Microsoft {title}"), &rules::value(&setup, "PatchLevel"));
    let mut before = None;
    for month in maker.months(HISTORY).filter(|month| month.since(Month::new(2024, 2)) % 3 == 0) {
        let number = number(maker, month);
        let version = format!("{major}.0.{}.1", start + number * step);
        let article = maker.article(month, &format!("database/{year}"));
        let text = month.to_string();
        let values = [("month", text.as_str()), ("product", title.as_str())];
        let release = Release {
            key: format!("database/{year}/{month}"),
            kind: Kind::Application,
            day: month.second_tuesday(),
            texts: Texts::fill(texts::APPLICATION, "x64", &values, Some(article)),
            categories: vec![products.security, product],
            needs: vec![product],
            supersedes: before,
            severity: Some("Important"),
            reboot: RebootBehavior::CanRequestReboot,
            licence: true,
            parts: vec![vec![Part {
                name: "engine".to_owned(),
                file: format!("sqlserver{year}-kb{article}-x64.exe"),
                size: 80 * 1024,
                installed: rules::version_from(&setup, "PatchLevel", &version),
                installable: rules::value(&setup, "PatchLevel"),
            }]],
            ..Release::default()
        };
        before = maker.release(release, false).or(before);
    }
}
