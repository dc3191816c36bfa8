use std::fs;

use proptest::prelude::*;
use weir_model::applicability::facts::RegistryData;
use weir_testkit::windows::HiveFile;

use super::{
    super::{
        cost,
        hive::{Hive, HiveError},
        log::marvin32,
        recovery::{Recovery, recover},
    },
    *,
};

fn small() -> Vec<u8> {
    let mut hive = HiveFile::new();
    hive.sz(r"A\B", "name", "value").dword(r"A\C", "", 7).multi_sz("D", "list", &["x", "y"]);
    for number in 0..40 {
        hive.key(&format!(r"E\Key{number:02}"));
    }
    hive.bytes(&[])
}

#[test]
fn a_sound_hive_is_read_whole() {
    assert_eq!(walk_hive(&small()), Ok(46));
}

#[test]
fn a_hive_that_is_cut_off_is_unreadable_at_every_length() {
    let bytes = small();
    let used = 4096 + u32::from_le_bytes(bytes[40..44].try_into().expect("four bytes")) as usize;
    for length in (0..used).step_by(7) {
        assert!(Hive::open(bytes[..length].to_vec()).is_err(), "{length}");
    }
}

#[test]
fn a_flipped_byte_never_makes_a_key_vanish() {
    let bytes = small();
    let expected = walk_hive(&bytes).expect("sound");
    // What follows the fields of the head has no meaning.
    for at in (0..512).chain(4096..bytes.len()) {
        let mut damaged = bytes.clone();
        damaged[at] ^= [0x01, 0x80, 0xFF][at % 3];
        if let Ok(keys) = walk_hive(&damaged) {
            // It fits together still: no key may be missing.
            assert_eq!(keys, expected, "byte {at}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn several_changed_bytes_give_an_error_or_a_hive(changes in prop::collection::vec((0_usize..16_384, any::<u8>()), 1..20)) {
        let mut bytes = small();
        for (at, byte) in changes {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        let _ = walk_hive(&bytes);
    }

    #[test]
    fn any_bytes_give_an_error(bytes in prop::collection::vec(any::<u8>(), 0..10_000)) {
        prop_assert!(Hive::open(bytes).is_err());
    }
}

#[test]
fn a_damaged_hive_makes_gaps_and_not_absences() {
    let (folder, _) = image();
    let path = folder.path().join("WINDOWS/system32/CONFIG/Software");
    let mut bytes = fs::read(&path).expect("file");
    // The head of the first hive bin.
    bytes[4096] = b'x';
    fs::write(&path, bytes).expect("file");
    let image = open(folder.path());
    assert!(
        image.warnings().iter().any(|warning| warning.contains("hive SOFTWARE: it is damaged")),
        "{:?}",
        image.warnings()
    );
    assert_eq!(kind(image.registry_key(key(r"SOFTWARE\Contoso"))), GapKind::Unreadable);
    assert_eq!(kind(image.registry_value(key(r"SOFTWARE\None"), "x")), GapKind::Unreadable);
    assert_eq!(kind(image.packages()), GapKind::NotCollected);
    assert_eq!(kind(image.package("x")), GapKind::NotCollected);
    assert_eq!(kind(image.msi_product(Uuid::nil())), GapKind::NotCollected);
    assert_eq!(image.registry_key(key(r"SYSTEM\Select")), Ok(true), "the other hive is sound");
    fs::remove_file(&path).expect("file");
    let image = open(folder.path());
    assert!(image.warnings().iter().any(|warning| warning.contains("there is no Windows")), "{:?}", image.warnings());
    assert_eq!(kind(image.registry_key(key(r"SOFTWARE\Contoso"))), GapKind::Unreadable);
}

#[test]
fn a_hive_that_claims_more_than_it_holds_is_refused_before_it_is_read() {
    let mut bytes = HiveFile::new().set("K", "big", regf::DataType::Binary, &vec![7; 100_000]).bytes(&[]);
    assert_eq!(walk_hive(&bytes), Ok(2));
    let own = cost::cost(&bytes, usize::MAX).expect("it is bearable");
    assert!(own < bytes.len() * 6, "{own} for {}", bytes.len());
    // The value says that it has two thousand million bytes.
    let name = bytes.windows(3).position(|three| three == b"big").expect("its name");
    bytes[name - 16..name - 12].copy_from_slice(&0x7735_9400_u32.to_le_bytes());
    assert_eq!(walk_hive(&bytes), Err(HiveError::TooMuch));
}

/// A log of Windows 8.1 and later with one entry that replaces some pages.
fn log(hive: &[u8], changed: &[u8], sequence: u32) -> Vec<u8> {
    const SEED: [u32; 2] = [0x7A4E_55C5, 0x82EF_4D88];
    let pages: Vec<usize> =
        (4096..changed.len()).step_by(512).filter(|at| hive.get(*at..at + 512) != changed.get(*at..at + 512)).collect();
    let mut entry = vec![0; 40];
    for at in &pages {
        entry.extend((*at as u32 - 4096).to_le_bytes());
        entry.extend(512_u32.to_le_bytes());
    }
    entry.extend(pages.iter().flat_map(|at| &changed[*at..at + 512]));
    entry.resize(entry.len().next_multiple_of(512), 0);
    let size = entry.len() as u32;
    entry[..4].copy_from_slice(b"HvLE");
    for (at, number) in [(4, size), (12, sequence), (20, pages.len() as u32)] {
        entry[at..at + 4].copy_from_slice(&number.to_le_bytes());
    }
    entry[16..20].copy_from_slice(&changed[40..44]);
    let hash = |bytes: &[u8]| marvin32(SEED, bytes).map(u32::to_le_bytes).concat();
    let first = hash(&entry[40..]);
    entry[24..32].copy_from_slice(&first);
    let second = hash(&entry[..32]);
    entry[32..40].copy_from_slice(&second);

    let mut log = hive[..512].to_vec();
    log[4..8].copy_from_slice(&sequence.to_le_bytes());
    log[8..12].copy_from_slice(&sequence.to_le_bytes());
    log[28..32].copy_from_slice(&6_u32.to_le_bytes());
    seal(&mut log);
    log.extend(entry);
    log
}

/// Writes the sum of a head.
fn seal(head: &mut [u8]) {
    let sum = head[..508].chunks(4).fold(0, |sum, four| sum ^ u32::from_le_bytes(four.try_into().expect("four bytes")));
    head[508..512].copy_from_slice(&sum.to_le_bytes());
}

fn dirty_pair() -> (Vec<u8>, Vec<u8>) {
    let mut file = HiveFile::new();
    file.sz("A", "name", "before");
    let mut before = file.bytes(&[]);
    file.key("New").sz("New", "name", "after");
    let after = file.bytes(&[]);
    // Written to the log, not to the hive: the first number is ahead of the second.
    before[4..8].copy_from_slice(&10_u32.to_le_bytes());
    before[8..12].copy_from_slice(&9_u32.to_le_bytes());
    seal(&mut before[..512]);
    (before, after)
}

#[test]
fn changes_of_a_transaction_log_are_applied() {
    let (before, after) = dirty_pair();
    let log = log(&before, &after, 10);
    let mut bytes = before.clone();
    assert_eq!(recover(&mut bytes, std::slice::from_ref(&log)), Recovery::Applied(1));
    let hive = Hive::open(bytes).expect("sound");
    let new = hive.subkeys(hive.root()).expect("sound")["NEW"].offset;
    assert_eq!(hive.value(new, "name"), Ok(Some(RegistryData::Sz("after".into()))));

    // An entry that is damaged is not applied, nor one of an earlier time.
    let mut damaged = log.clone();
    let end = damaged.len() - 1;
    damaged[end] ^= 1;
    assert_eq!(recover(&mut before.clone(), &[damaged]), Recovery::Incomplete);
    assert_eq!(recover(&mut before.clone(), &[self::log(&before, &after, 3)]), Recovery::Incomplete);
    assert_eq!(recover(&mut before.clone(), &[]), Recovery::Incomplete);
    assert_eq!(
        recover(&mut after.clone(), std::slice::from_ref(&log)),
        Recovery::Clean,
        "a complete hive is left alone"
    );
    for length in 0..log.len() {
        assert_eq!(recover(&mut before.clone(), &[log[..length].to_vec()]), Recovery::Incomplete);
    }
}

#[test]
fn a_damaged_head_is_taken_from_the_log() {
    let (mut before, after) = dirty_pair();
    let log = log(&before, &after, 10);
    // The sum is wrong.
    before[12] ^= 1;
    assert_eq!(recover(&mut before, &[log]), Recovery::Applied(1));
    assert_eq!(walk_hive(&before), Ok(3));
}

#[test]
fn an_image_says_what_was_done_to_its_hives() {
    let (folder, _) = image();
    let config = folder.path().join("WINDOWS/system32/CONFIG");
    let (before, after) = dirty_pair();
    fs::write(config.join("Software"), &before).expect("file");
    let image = open(folder.path());
    assert!(image.warnings()[0].contains("no transaction log fits"), "{:?}", image.warnings());
    assert_eq!(image.registry_key(key(r"SOFTWARE\New")), Ok(false));
    fs::write(config.join("SOFTWARE.log1"), log(&before, &after, 10)).expect("file");
    let image = open(folder.path());
    assert!(image.warnings()[0].contains("1 changes of its transaction logs were applied"), "{:?}", image.warnings());
    assert_eq!(image.registry_key(key(r"SOFTWARE\New")), Ok(true));
}
