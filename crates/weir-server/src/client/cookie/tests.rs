use uuid::Uuid;
use weir_model::{catalogue::Decided, ids::ChangeNumber};

use super::{check::judge, *};

fn ring() -> KeyRing {
    KeyRing::new([(1, vec![7; 32]), (2, vec![9; 32])]).expect("keys")
}

fn cookie() -> Cookie {
    let (decided, timed) = (Decided::default(), TimedAnchor::default());
    let anchor = |change, groups| Some(Anchor { change: ChangeNumber(change), groups, decided, timed });
    Cookie {
        server: Uuid::from_u128(5),
        expires_ms: 1_000,
        last_change_ms: 77,
        protocol: ProtocolVersion { major: 2, minor: 90 },
        anchors: Anchors {
            software: anchor(10, 3),
            driver: None,
            printer: anchor(u64::MAX, 4),
            filter: 9,
            filtered_software: anchor(11, 3),
            filtered_driver: None,
        },
        computer: "e1da06a3-5601-43c9-bac3-52d5db701494".parse().expect("id"),
        dns_name: "pc1.example".into(),
        requested_groups: vec!["Ring 1".into(), "Büro".into()],
    }
}

fn expected() -> Expected {
    Expected { server: Uuid::from_u128(5), now_ms: 999, last_change_ms: 77 }
}

fn sealed(ring: &KeyRing, cookie: &Cookie) -> Vec<u8> {
    ring.seal(Kind::Cookie, &cookie.encode().expect("short")).expect("sealed")
}

#[test]
fn a_cookie_comes_back_as_it_went_in() {
    let ring = ring();
    assert_eq!(check(Some(&sealed(&ring, &cookie())), &ring, &expected()), Ok(cookie()));
    let authorization = AuthorizationCookie {
        server: Uuid::from_u128(6),
        expires_ms: 5,
        computer: "a".parse().expect("id"),
        dns_name: String::new(),
        requested_groups: Vec::new(),
    };
    let bytes = authorization.encode().expect("short");
    assert_eq!(AuthorizationCookie::decode(&bytes), Some(authorization));
}

#[test]
fn anchors_carry_what_was_told_of_timed_deployments_and_others_stay_as_they_were() {
    let plain = cookie().encode().expect("short");
    assert_eq!(plain[0], 1, "servers of the version before read it");
    let mut timed = cookie();
    timed.anchors.filtered_software =
        timed.anchors.filtered_software.map(|anchor| Anchor { timed: TimedAnchor { mark: 7, at_ms: -5 }, ..anchor });
    let bytes = timed.encode().expect("short");
    assert_eq!((bytes[0], bytes.len()), (2, plain.len() + 5 * 16));
    assert_eq!(Cookie::decode(&bytes), Some(timed));
    let mut unknown = bytes;
    unknown[0] = 4;
    assert_eq!(Cookie::decode(&unknown), None);
}

#[test]
fn anchors_carry_what_was_decided_and_those_of_older_servers_are_read_without() {
    let mut decided = cookie();
    let told = Decided { branches: 7, winners: 8 };
    decided.anchors.software = decided.anchors.software.map(|anchor| Anchor { decided: told, ..anchor });
    let bytes = decided.encode().expect("short");
    assert_eq!(bytes[0], 3);
    assert_eq!(Cookie::decode(&bytes), Some(decided));
    for length in 0..bytes.len() {
        assert_eq!(Cookie::decode(&bytes[..length]), None, "cut at {length}");
    }
    let older = Cookie::decode(&cookie().encode().expect("short")).expect("a cookie of the version before");
    let known = older.anchors.software.expect("an anchor").decided;
    assert!(!told.agrees(known) && !known.agrees(known), "what is unknown is the same as nothing");
}

#[test]
fn the_faults_come_in_the_protocols_order() {
    let wrong = Cookie { server: Uuid::nil(), expires_ms: 1, last_change_ms: 0, ..cookie() };
    assert_eq!(judge(None, &expected()), Err(CookieFault::InvalidCookie));
    assert_eq!(judge(Some(wrong.clone()), &expected()), Err(CookieFault::ServerChanged));
    let wrong = Cookie { server: Uuid::from_u128(5), ..wrong };
    assert_eq!(judge(Some(wrong.clone()), &expected()), Err(CookieFault::CookieExpired));
    let wrong = Cookie { expires_ms: 1_000, ..wrong };
    assert_eq!(judge(Some(wrong), &expected()), Err(CookieFault::ConfigChanged));
}

#[test]
fn every_flipped_bit_and_every_cut_is_refused() {
    let ring = ring();
    let sealed = sealed(&ring, &cookie());
    for position in 0..sealed.len() * 8 {
        let mut bent = sealed.clone();
        bent[position / 8] ^= 1 << (position % 8);
        assert_eq!(check(Some(&bent), &ring, &expected()), Err(CookieFault::InvalidCookie), "bit {position}");
    }
    for length in 0..sealed.len() {
        assert_eq!(check(Some(&sealed[..length]), &ring, &expected()), Err(CookieFault::InvalidCookie));
    }
    assert_eq!(check(None, &ring, &expected()), Err(CookieFault::InvalidCookie));
    assert_eq!(check(Some(&vec![2; 1 << 20]), &ring, &expected()), Err(CookieFault::InvalidCookie));
}

#[test]
fn an_authorization_cookie_is_no_cookie() {
    let ring = ring();
    let other = ring.seal(Kind::Authorization, &cookie().encode().expect("short")).expect("sealed");
    assert_eq!(check(Some(&other), &ring, &expected()), Err(CookieFault::InvalidCookie));
    assert!(ring.open(Kind::Authorization, &other).is_some());
}

#[test]
fn older_keys_open_and_foreign_keys_do_not() {
    let old = KeyRing::new([(1, vec![7; 32])]).expect("keys");
    assert_eq!(check(Some(&sealed(&old, &cookie())), &ring(), &expected()), Ok(cookie()));
    let foreign = KeyRing::new([(2, vec![1; 32])]).expect("keys");
    assert_eq!(check(Some(&sealed(&foreign, &cookie())), &ring(), &expected()), Err(CookieFault::InvalidCookie));
    assert!(KeyRing::new([(3, vec![1; 16])]).is_err());
    // read before another one was made, and put in after it
    let ring = KeyRing::new([(1, vec![7; 32]), (2, vec![9; 32])]).expect("keys");
    let sealed = ring.seal(Kind::Cookie, b"plain").expect("sealed");
    ring.replace([(1, vec![7; 32])]).expect("keys");
    assert!(ring.open(Kind::Cookie, &sealed).is_some());
    assert!(old.open(Kind::Cookie, &sealed).is_none() && old.may_be_newer(&sealed));
}

#[test]
fn too_many_names_do_not_fit() {
    let cookie = Cookie { requested_groups: vec!["x".repeat(100); 50], ..cookie() };
    assert_eq!(cookie.encode(), Err(CookieTooLong));
}

#[test]
fn protocol_versions_are_two_integers() {
    let version = |text| ProtocolVersion::parse(text);
    assert!(version("1.10") > version("1.8") && version("2.90") > version("1.10"));
    for wrong in ["", "1", "1.", ".1", "a.b", "1.2.3", "-1.0", "+1.0", "1.99999"] {
        assert_eq!(version(wrong), None, "{wrong}");
    }
}

#[test]
fn a_filtered_scan_moves_only_its_own_anchor() {
    let at = |change| Anchor {
        change: ChangeNumber(change),
        groups: 1,
        decided: Decided::default(),
        timed: TimedAnchor::default(),
    };
    let mut anchors = Anchors::default();
    assert_eq!(anchors.scan(false, Some(7)), None);
    anchors.advance(false, None, at(5));
    anchors.advance(false, Some(7), at(9));
    assert_eq!(anchors.scan(false, None), Some(at(5)));
    assert_eq!(anchors.scan(false, Some(7)), Some(at(9)));
    // another filter knows what the full scan knew, not what the first filter learned
    assert_eq!(anchors.scan(false, Some(8)), Some(at(5)));
    anchors.advance(false, Some(8), at(12));
    assert_eq!(anchors.scan(false, Some(7)), Some(at(5)));
    anchors.advance(false, None, at(20));
    assert_eq!(anchors.scan(false, Some(8)), Some(at(20)));
    assert_eq!(anchors.scan(true, None), None);
    anchors.advance(true, Some(8), at(21));
    assert_eq!(anchors.scan(true, None), None);
    assert_eq!(anchors.scan(true, Some(8)), Some(at(21)));
    assert_eq!(anchors.newest(), Some(ChangeNumber(21)));
    assert_eq!(Anchors::default().newest(), None);
}

#[test]
fn a_full_scan_does_not_rely_on_what_a_filtered_one_told_as_of_other_groups() {
    let at = |change, groups, branches, winners| Anchor {
        change: ChangeNumber(change),
        groups,
        decided: Decided { branches, winners },
        timed: TimedAnchor::default(),
    };
    let mut anchors = Anchors::default();
    anchors.advance(false, None, at(5, 1, 2, 3));
    anchors.advance(true, None, at(5, 1, 2, 3));
    // the same groups, later
    anchors.advance(false, Some(7), at(6, 1, 2, 4));
    assert_eq!(anchors.scan(false, None), Some(at(5, 1, 2, 0)));
    // others, with something deployed
    anchors.advance(false, Some(7), at(6, 9, 8, 4));
    let full = anchors.scan(false, None).expect("an anchor");
    assert_eq!(full, at(5, 0, 0, 0));
    assert_eq!(anchors.scan(true, None), Some(at(5, 1, 2, 3)), "drivers are told apart");
    // back where it was: what was told in between was told by the full scan again
    anchors.advance(false, None, at(6, 1, 2, 3));
    assert_eq!(anchors.scan(false, Some(7)), Some(at(6, 1, 2, 3)));
}
