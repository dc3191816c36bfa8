//! Documents about vulnerabilities that are fetched from an address.

use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use crate::exposure::{file, outcomes, ready};

/// Answers one request after the other with these, and gives the requests.
async fn answers(answers: Vec<String>) -> (String, tokio::task::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let task = tokio::spawn(async move {
        let mut requests = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let byte = stream.read_u8().await.expect("a request");
                request.push(byte);
            }
            requests.push(String::from_utf8(request).expect("text"));
            stream.write_all(answer.as_bytes()).await.expect("written");
            stream.shutdown().await.expect("closed");
        }
        requests
    });
    (address, task)
}

fn ok(body: &[u8]) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}",
        body.len(),
        String::from_utf8_lossy(body)
    )
}

fn moved(to: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}

#[tokio::test]
async fn an_address_is_fetched_within_bounds() {
    let server = ready().await;
    let fetch = async |url: String, allow: bool| {
        server.post("exposure/fetches", json!({ "url": url, "allow_http": allow })).await
    };
    let (address, task) = answers(vec![moved("/kev.json?key=secret"), ok(&file("kev.json"))]).await;
    let refused = fetch(format!("{address}/kev"), false).await;
    assert_eq!(refused.refused(400), "url");
    let imported = fetch(format!("{address}/kev"), true).await.ok();
    assert_eq!(outcomes(&imported), ["added"], "{imported:#}");
    assert_eq!(imported["files"][0]["document"]["source"], format!("{address}/kev").as_str());
    let requests = task.await.expect("answered");
    assert!(requests[0].starts_with("GET /kev HTTP/1.1") && requests[1].starts_with("GET /kev.json?key=secret"));
    assert!(requests[0].contains("accept: application/json"), "{requests:?}");

    let loops = answers((0..6).map(|_| moved("/again")).collect()).await;
    assert_eq!(fetch(format!("{}/again", loops.0), true).await.refused(502), "upstream");
    let (address, _) = answers(vec![moved("file:///etc/passwd")]).await;
    assert_eq!(fetch(address, true).await.refused(400), "url");
    let (address, _) =
        answers(vec!["HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned()]).await;
    let missing = fetch(address, true).await;
    assert_eq!(missing.refused(502), "upstream");
    assert!(missing.body["detail"].as_str().expect("detail").contains("404"), "{}", missing.body);
    let large = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", 33 << 20);
    let (address, _) = answers(vec![large]).await;
    let large = fetch(address, true).await;
    assert!(large.body["detail"].as_str().expect("detail").contains("more than 33554432 bytes"), "{}", large.body);
    let (address, _) = answers(vec![ok(b"<html/>")]).await;
    assert_eq!(outcomes(&fetch(address, true).await.ok()), ["rejected"]);
    server.stop().await;
}
