//! Windows: cumulative updates, previews, servicing stacks, the .NET Framework, a feature update, and oddities.

use weir_model::{document::RebootBehavior, ids::UpdateId};

use super::{
    Kind,
    calendar::Month,
    products::{Products, client_rule, detectoid, product, server_rule},
    release::{HISTORY, Maker, Part, Release},
    rules,
    texts::{self, Texts},
};

/// A build of Windows on one kind of processor.
#[derive(Clone, Copy, Debug)]
struct Platform {
    /// As titles call it.
    name: &'static str,
    /// Its product.
    product: &'static str,
    build: u32,
    server: bool,
    /// As titles call it, and as rules number it.
    processor: (&'static str, u16),
    /// `UBR` two years before the newest month, and by how much it grows in a month: as modelled computers have it.
    revision: (u32, u32),
    /// For how many months there have been releases of it.
    months: i32,
    /// Left out of small worlds.
    rare: bool,
}

const X86: (&str, u16) = ("x86", 0);
const X64: (&str, u16) = ("x64", 9);
const ARM64: (&str, u16) = ("arm64", 12);

const PLATFORMS: &[Platform] = &[
    client("Windows 11, version 25H2", "Windows 11", 26_200, X64, (5_074, 140), 13),
    client("Windows 11, version 25H2", "Windows 11", 26_200, ARM64, (5_074, 140), 13),
    client("Windows 11, version 24H2", "Windows 11", 26_100, X64, (2_033, 265), 24),
    rare(client("Windows 11, version 24H2", "Windows 11", 26_100, ARM64, (2_033, 265), 24)),
    client("Windows 11, version 23H2", "Windows 11", 22_631, X64, (4_317, 120), 24),
    rare(client("Windows 11, version 22H2", "Windows 11", 22_621, X64, (4_317, 120), 24)),
    client("Windows 10 Version 22H2", "Windows 10, version 1903 and later", 19_045, X64, (5_011, 115), 24),
    rare(client("Windows 10 Version 22H2", "Windows 10, version 1903 and later", 19_045, X86, (5_011, 115), 24)),
    rare(client("Windows 10 Version 21H2", "Windows 10, version 1903 and later", 19_044, X64, (5_011, 115), 24)),
    rare(client("Windows 10 Version 1809", "Windows 10 LTSB", 17_763, X64, (6_414, 122), 24)),
    rare(client("Windows 10 Version 1607", "Windows 10 LTSB", 14_393, X64, (7_428, 110), 24)),
    server("Windows Server 2025", "Microsoft Server Operating System-24H2", 26_100, (2_033, 265)),
    server("Windows Server 2022", "Microsoft Server operating system-21H2", 20_348, (2_762, 75)),
    server("Windows Server 2019", "Windows Server 2019", 17_763, (6_414, 122)),
    server("Windows Server 2016", "Windows Server 2016", 14_393, (7_428, 110)),
];

const fn client(
    name: &'static str,
    product: &'static str,
    build: u32,
    processor: (&'static str, u16),
    revision: (u32, u32),
    months: i32,
) -> Platform {
    Platform { name, product, build, server: false, processor, revision, months, rare: false }
}

const fn server(name: &'static str, product: &'static str, build: u32, revision: (u32, u32)) -> Platform {
    Platform { name, product, build, server: true, processor: X64, revision, months: HISTORY, rare: false }
}

const fn rare(platform: Platform) -> Platform {
    Platform { rare: true, ..platform }
}

/// A world of fewer updates has the systems that companies have most of.
const ALL_PLATFORMS: usize = 1_000;
/// Months of previews that are still published; those before were withdrawn.
const PREVIEWS: i32 = 3;
/// Bytes of a file for a gigabyte in life, and of the smallest.
const GIGABYTE: usize = 128 * 1024;

impl Platform {
    fn product_rule(self) -> String {
        match (self.product, self.server) {
            ("Windows 11", _) => client_rule(22_000, None),
            ("Windows 10, version 1903 and later", _) => client_rule(18_362, Some(22_000)),
            ("Windows 10 LTSB", _) => client_rule(10_240, Some(18_362)),
            _ => server_rule(self.build, Some(self.build + 1)),
        }
    }

    fn key(self) -> String {
        let kind = if self.server { "server" } else { "client" };
        format!("{kind}/{}/{}", self.build, self.processor.0)
    }

    /// `UBR` of the release of a month.
    fn revision(self, newest: Month, month: Month) -> u32 {
        let months = u32::try_from(HISTORY - newest.since(month)).unwrap_or(0);
        self.revision.0 + self.revision.1 * months
    }
}

/// Adds everything of Windows.
pub(super) fn add(maker: &mut Maker, products: &Products) {
    let all = maker.shape.updates >= ALL_PLATFORMS;
    for platform in PLATFORMS.iter().filter(|platform| all || !platform.rare) {
        let product = product(maker, products.windows, platform.product, &platform.product_rule());
        let kind = if platform.server { rules::not(&rules::workstation()) } else { rules::workstation() };
        let rule = rules::all(&[rules::build(platform.build), rules::processor(platform.processor.1), kind]);
        let title = format!("{} {}", platform.name, platform.processor.0);
        let detectoid = detectoid(maker, &[product], &title, &rule);
        let place = Place { platform: *platform, product, detectoid };
        cumulative(maker, products, place);
        framework(maker, products, place);
    }
    servicing(maker, products);
    feature(maker, products);
    junk(maker, products);
}

/// A platform with its product and detectoid.
#[derive(Clone, Copy)]
struct Place {
    platform: Platform,
    product: UpdateId,
    detectoid: UpdateId,
}

fn cumulative(maker: &mut Maker, products: &Products, place: Place) {
    let Place { platform, product, detectoid } = place;
    let (mut before, mut early) = (None, None);
    let newest = maker.month;
    for month in maker.months(platform.months) {
        let revision = platform.revision(newest, month);
        let back = newest.since(month);
        let release = |maker: &Maker, preview: bool| {
            let (word, step) = if preview { ("preview", platform.revision.1 / 2) } else { ("cumulative", 0) };
            let revision = revision + step;
            let article = maker.article(month, &format!("{word}/{}", platform.build));
            let (month, version) = (month.to_string(), format!("{}.{revision}", platform.build));
            let values = [("month", month.as_str()), ("product", platform.name), ("version", version.as_str())];
            let template = if preview { texts::PREVIEW } else { texts::CUMULATIVE };
            let size = GIGABYTE / 3 + (maker.number(&version) % (GIGABYTE as u64 / 3)) as usize;
            Release {
                key: format!("{word}/{}/{month}", platform.key()),
                kind: if preview { Kind::Preview } else { Kind::Cumulative },
                texts: Texts::fill(template, platform.processor.0, &values, Some(article)),
                categories: vec![if preview { products.updates } else { products.security }, product],
                needs: vec![detectoid],
                severity: (!preview).then_some(if revision.is_multiple_of(3) { "Important" } else { "Critical" }),
                reboot: RebootBehavior::AlwaysRequiresReboot,
                parts: vec![vec![Part {
                    name: "package".to_owned(),
                    file: format!(
                        "windows{}.0-kb{article}-{}.cab",
                        if platform.build < 22_000 { 10 } else { 11 },
                        platform.processor.0
                    ),
                    size: if preview { size / 2 } else { size },
                    installed: rules::revision_from(revision),
                    installable: rules::all(&[rules::build(platform.build), rules::processor(platform.processor.1)]),
                }]],
                ..Release::default()
            }
        };
        let monthly =
            Release { day: month.second_tuesday(), supersedes: before, also: early.take(), ..release(maker, false) };
        let id = maker.release(monthly, true);
        before = id.or(before);
        if !platform.server && platform.processor == X64 && (back < PREVIEWS || back % 6 == 0) {
            let preview = Release {
                day: month.preview_day(),
                supersedes: before,
                expired: back >= PREVIEWS,
                ..release(maker, true)
            };
            // the release of the next month replaces it
            early = maker.release(preview, true).filter(|_| back < PREVIEWS);
        }
    }
}

fn framework(maker: &mut Maker, products: &Products, place: Place) {
    const NDP: &str = r"SOFTWARE\Microsoft\NET Framework Setup\NDP\v4\Full";
    const LIBRARY: &str = r"Microsoft.NET\Framework\v4.0.30319\mscorlib.dll";
    let Place { platform, product, detectoid } = place;
    let mut before = None;
    // a release in each quarter
    for month in maker.months(platform.months).filter(|month| maker_quarter(*month)) {
        let article = maker.article(month, &format!("framework/{}", platform.build));
        let text = month.to_string();
        let values = [("month", text.as_str()), ("product", platform.name)];
        let number = u32::try_from(month.since(Month::new(2024, 1))).unwrap_or(0) * 12;
        let part = |name: &str, start: u32, release: u32, next: Option<u32>| {
            let version = format!("4.8.{}.0", start + number);
            let mut installable = vec![rules::number_from(NDP, "Release", release)];
            installable.extend(next.map(|next| rules::not(&rules::number_from(NDP, "Release", next))));
            Part {
                name: name.to_owned(),
                file: format!("kb{article}-{}-ndp{}.cab", platform.processor.0, name.replace('.', "")),
                size: GIGABYTE / 14,
                installed: rules::all(&[rules::all(&installable), rules::file_from(rules::WINDOWS, LIBRARY, &version)]),
                installable: rules::all(&installable),
            }
        };
        let release = Release {
            key: format!("framework/{}/{month}", platform.key()),
            kind: Kind::Framework,
            day: month.second_tuesday(),
            texts: Texts::fill(texts::FRAMEWORK, platform.processor.0, &values, Some(article)),
            categories: vec![products.security, product],
            needs: vec![detectoid],
            supersedes: before,
            severity: Some("Important"),
            reboot: RebootBehavior::CanRequestReboot,
            // a computer has one of the two
            parts: vec![vec![part("4.8", 4_500, 528_040, Some(533_320)), part("4.8.1", 9_100, 533_320, None)]],
            ..Release::default()
        };
        before = maker.release(release, true).or(before);
    }
}

/// Whether a month ends a quarter.
fn maker_quarter(month: Month) -> bool {
    month.since(Month::new(2024, 2)).rem_euclid(3) == 0
}

/// Windows Server 2016 has servicing stacks of its own; elsewhere they come with the cumulative update.
fn servicing(maker: &mut Maker, products: &Products) {
    let Some(platform) = PLATFORMS.iter().find(|platform| platform.build == 14_393 && platform.server) else { return };
    let product = maker.id(&format!("product/{}", platform.product));
    let detectoid = maker.id(&format!("detectoid/{} {}", platform.name, platform.processor.0));
    let identity = |month: Month| {
        let number = 4_000 + u32::try_from(month.since(Month::new(2024, 1))).unwrap_or(0) * 70;
        format!("Package_for_ServicingStack~31bf3856ad364e35~amd64~~10.0.14393.{number}")
    };
    let months: Vec<Month> = maker.months(HISTORY).filter(|month| maker_quarter(*month)).collect();
    let mut before = None;
    for (index, month) in months.iter().enumerate() {
        let article = maker.article(*month, "servicing/14393");
        let text = month.to_string();
        let values = [("month", text.as_str()), ("product", platform.name)];
        // a later stack stands for it
        let those: Vec<String> = months.iter().skip(index).map(|later| rules::package(&identity(*later))).collect();
        let release = Release {
            key: format!("servicing/14393/{month}"),
            kind: Kind::ServicingStack,
            day: month.second_tuesday(),
            texts: Texts::fill(texts::SERVICING, platform.processor.0, &values, Some(article)),
            categories: vec![products.critical, product],
            needs: vec![detectoid],
            supersedes: before,
            severity: Some("Critical"),
            reboot: RebootBehavior::NeverReboots,
            parts: vec![vec![Part {
                name: "package".to_owned(),
                file: format!("windows10.0-kb{article}-x64-stack.cab"),
                size: GIGABYTE / 80,
                installed: rules::any(&those),
                installable: rules::build(platform.build),
            }]],
            ..Release::default()
        };
        before = maker.release(release, false).or(before);
    }
}

/// The next release of Windows 11 for those on the one before.
fn feature(maker: &mut Maker, products: &Products) {
    let month = maker.month.back(12);
    let product = maker.id("product/Windows 11");
    let detectoid = maker.id("detectoid/Windows 11, version 24H2 x64");
    let article = maker.article(month, "feature/26200");
    let values = [("product", "Windows 11, version 25H2")];
    let identity = format!("Package_for_KB{article}~31bf3856ad364e35~amd64~~26100.5074.1.0");
    let release = Release {
        key: "feature/26200".to_owned(),
        kind: Kind::Feature,
        day: month.second_tuesday(),
        texts: Texts::fill(texts::FEATURE, "x64", &values, Some(article)),
        categories: vec![products.upgrades, product],
        needs: vec![detectoid],
        reboot: RebootBehavior::AlwaysRequiresReboot,
        licence: true,
        parts: vec![vec![Part {
            name: "enablement".to_owned(),
            file: format!("windows11.0-kb{article}-x64-enablement.cab"),
            size: 24 * 1024,
            installed: rules::package(&identity),
            installable: rules::build(26_100),
        }]],
        ..Release::default()
    };
    maker.release(release, false);
}

/// What catalogues are full of and few companies have.
fn junk(maker: &mut Maker, products: &Products) {
    let title = "Windows Server 2008 R2";
    let rule = rules::all(&[
        rules::windows_from(6, 1, 7_601),
        rules::not(&rules::workstation()),
        rules::not(&rules::windows_from(6, 2, 0)),
    ]);
    let product = product(maker, products.windows, title, &rule);
    let detectoid =
        detectoid(maker, &[product], "Windows Server 2008 R2 for Itanium-based Systems", &rules::processor(6));
    let mut before = None;
    for month in maker.months(HISTORY).step_by(2) {
        let article = maker.article(month, "junk/7601");
        let text = month.to_string();
        let values = [("month", text.as_str()), ("product", title), ("version", "6.1.7601")];
        let release = Release {
            key: format!("junk/7601/{month}"),
            kind: Kind::Junk,
            day: month.second_tuesday(),
            texts: Texts::fill(texts::CUMULATIVE, "Itanium", &values, Some(article)),
            categories: vec![products.rollups, product],
            needs: vec![detectoid],
            supersedes: before,
            reboot: RebootBehavior::AlwaysRequiresReboot,
            parts: vec![vec![Part {
                name: "package".to_owned(),
                file: format!("windows6.1-kb{article}-ia64.msu"),
                size: GIGABYTE / 10,
                installed: rules::package(&format!("Package_for_KB{article}~31bf3856ad364e35~ia64~~6.1.1.0")),
                installable: rules::processor(6),
            }]],
            ..Release::default()
        };
        before = maker.release(release, false).or(before);
    }
}
