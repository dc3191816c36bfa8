//! What people call an operating system, by its version. Computers send a text of their own, which may be in any language or
//! name no more than an edition.

/// Builds of Windows 10 and 11 with their version names, newest first.
const CLIENTS: &[(i32, &str, &str)] = &[
    (26_200, "windows 11", "25h2"),
    (26_100, "windows 11", "24h2"),
    (22_631, "windows 11", "23h2"),
    (22_621, "windows 11", "22h2"),
    (22_000, "windows 11", "21h2"),
    (19_045, "windows 10", "22h2"),
    (19_044, "windows 10", "21h2"),
    (19_043, "windows 10", "21h1"),
    (19_042, "windows 10", "20h2"),
    (19_041, "windows 10", "2004"),
    (18_363, "windows 10", "1909"),
    (18_362, "windows 10", "1903"),
    (17_763, "windows 10", "1809"),
    (17_134, "windows 10", "1803"),
    (16_299, "windows 10", "1709"),
    (15_063, "windows 10", "1703"),
    (14_393, "windows 10", "1607"),
    (10_586, "windows 10", "1511"),
    (10_240, "windows 10", "1507"),
];
/// Builds of Windows Server since 2016, newest first.
const SERVERS: &[(i32, &str)] = &[
    (26_100, "windows server 2025"),
    (25_398, "windows server version 23h2"),
    (20_348, "windows server 2022"),
    (19_042, "windows server version 20h2"),
    (19_041, "windows server version 2004"),
    (18_363, "windows server version 1909"),
    (18_362, "windows server version 1903"),
    (17_763, "windows server 2019"),
    (17_134, "windows server version 1803"),
    (16_299, "windows server version 1709"),
    (14_393, "windows server 2016"),
];
/// Versions before 10, as workstation and as server.
const BEFORE: &[((i32, i32), &str, &str)] = &[
    ((6, 3), "windows 8.1", "windows server 2012 r2"),
    ((6, 2), "windows 8", "windows server 2012"),
    ((6, 1), "windows 7", "windows server 2008 r2"),
    ((6, 0), "windows vista", "windows server 2008"),
    ((5, 2), "windows xp", "windows server 2003"),
    ((5, 1), "windows xp", "windows server"),
    ((5, 0), "windows 2000", "windows 2000 server"),
];
/// First build of Windows 11.
const ELEVEN: i32 = 22_000;

/// A name in lower case, such as `windows server 2019` or `windows 10 version 22h2`; none if the version or the product type
/// (1 workstation, 2 domain controller, 3 server) says nothing.
pub fn system_name(major: i32, minor: i32, build: i32, product_type: u8) -> Option<String> {
    let is_server = match product_type {
        1 => false,
        2 | 3 => true,
        _ => return None,
    };
    if (major, minor) != (10, 0) {
        let (_, workstation, server) = BEFORE.iter().find(|(version, ..)| *version == (major, minor))?;
        return Some((if is_server { *server } else { *workstation }).to_owned());
    }
    if is_server {
        let known = SERVERS.iter().find(|(known, _)| *known == build);
        return Some(known.map_or("windows server", |(_, name)| name).to_owned());
    }
    Some(match CLIENTS.iter().find(|(known, ..)| *known == build) {
        Some((_, name, version)) => format!("{name} version {version}"),
        None if build >= ELEVEN => "windows 11".to_owned(),
        None => "windows 10".to_owned(),
    })
}
