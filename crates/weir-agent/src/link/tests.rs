//! A link to servers that misbehave.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    time::Duration,
};

use weir_wire::wusp::GetConfig;

use super::*;
use crate::failure::Code;

/// Reads a request whole.
fn read_request(stream: &TcpStream) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if line == "\r\n" {
            break;
        }
    }
    reader.take(length).read_to_end(&mut Vec::new()).ok()?;
    Some(())
}

/// A server that answers every connection once with these bytes and closes; with none it never answers.
fn server(answer: Option<Vec<u8>>) -> Address {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
    let address =
        Address::parse(&format!("http://{}", listener.local_addr().expect("an address"))).expect("an address");
    std::thread::spawn(move || {
        let mut open = Vec::new();
        for mut stream in listener.incoming().flatten() {
            let _ = read_request(&stream);
            match &answer {
                Some(bytes) => drop(stream.write_all(bytes)),
                None => open.push(stream),
            }
        }
    });
    address
}

fn http(head: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

#[tokio::test]
async fn what_is_no_answer_is_a_failure_with_its_code() {
    let xpress = "200 OK\r\nContent-Encoding: xpress";
    // a block that claims 60 kB of which nothing comes
    let lying = [60_000_u32.to_le_bytes(), 4_u32.to_le_bytes(), [0; 4]].concat();
    for (what, answer, code) in [
        ("nothing", Some(Vec::new()), Code::CONNECTION_ABORTED),
        ("no HTTP", Some(b"SSH-2.0-x\r\n".to_vec()), Code::CONNECTION_ABORTED),
        ("a cut head", Some(b"HTTP/1.1 200 OK\r\nContent-Le".to_vec()), Code::CONNECTION_ABORTED),
        ("a cut body", Some(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<s:".to_vec()), Code::CONNECTION_ABORTED),
        ("too much", Some(http("200 OK", &vec![b' '; 3_000])), Code::CONNECTION_ABORTED),
        ("an empty body", Some(http("200 OK", b"")), Code::PARSE),
        ("a page", Some(http("200 OK", b"<html><body>Sign in</body></html>")), Code::PARSE),
        ("no text", Some(http("200 OK", &[0xff, 0xfe, 0])), Code::PARSE),
        ("another coding", Some(http("200 OK\r\nContent-Encoding: gzip", b"x")), Code::PARSE),
        ("no xpress", Some(http(xpress, b"nonsense")), Code::PARSE),
        ("xpress that lies", Some(http(xpress, &lying)), Code::PARSE),
        ("500 with a page", Some(http("500 Oops", b"<html></html>")), Code(0x8024_401F)),
        ("503", Some(http("503 Later", b"")), Code(0x8024_4022)),
        ("302", Some(http("302 Found\r\nLocation: /x", b"")), Code::HTTP_UNMAPPED),
        ("silence", None, Code::TIMEOUT),
    ] {
        let settings = HttpSettings {
            answer: Duration::from_secs(if answer.is_none() { 1 } else { 60 }),
            body: 2_000,
            decoded: 100_000,
            ..HttpSettings::default()
        };
        let mut link = Link::new(server(answer), Arc::new(settings));
        let request = GetConfig { protocol_version: Some("2.90".into()) }.into();
        let failure = link.call(&request).await.expect_err(what);
        assert_eq!(failure.code(), code, "{what}: {failure}");
        assert_eq!(link.traffic()[&Operation::GetConfig].calls, 1, "{what}");
    }
}

#[tokio::test]
async fn nobody_there_and_no_such_name() {
    let free = TcpListener::bind("127.0.0.1:0").expect("bound").local_addr().expect("an address");
    for (url, code) in [
        (format!("http://{free}"), Code::CANNOT_CONNECT),
        ("http://no-such-host.invalid:1".to_owned(), Code::NAME_NOT_RESOLVED),
        (format!("https://{free}"), Code::CANNOT_CONNECT),
    ] {
        let mut link = Link::new(Address::parse(&url).expect("an address"), Arc::default());
        let request = GetConfig { protocol_version: Some("2.90".into()) }.into();
        let failure = link.call(&request).await.expect_err(&url);
        assert_eq!(failure.code(), code, "{url}: {failure}");
    }
}
