//! Another server, a new server at the old address, cookies that expired.

use weir_testkit::{Document, WeirProcess, process::lasting_address};
use weir_wire::soap::ErrorCode;

use super::Player;
use crate::{genuine_package, id, json, run, server, write_documents};

#[test]
fn a_computer_that_moves_converges_and_comes_back() {
    let (here, there) = (server(), server());
    let folder = tempfile::tempdir().expect("a folder");
    write_documents(folder.path(), &[1, 2].map(|number| Document::software(id(number), 1).title("An update")));
    let own = folder.path().to_str().expect("UTF-8");
    json(&here, &["import", &genuine_package()]);
    json(&here, &["import", own]);
    json(&there, &["import", own]);
    json(&there, &["import", &genuine_package()]);
    json(&there, &["updates", "decline", &id(2).to_string()]);
    run(async {
        let mut player = Player::new(&here, 1);
        player.good_round().await;
        let before = player.known();
        player.move_to(&there);
        let round = player.good_round().await;
        assert!(round.scan.refreshed);
        assert_eq!(round.scan.new, 0, "everything was known already");
        let mut native = Player::new(&there, 2);
        native.good_round().await;
        assert_eq!(player.state.cache.entries(), native.state.cache.entries(), "as if it had always been there");
        assert_ne!(player.known(), before);
        player.move_to(&here);
        player.good_round().await;
        assert_eq!(player.known(), before);
    });
}

#[test]
fn a_server_that_was_replaced_is_noticed() {
    let address = lasting_address();
    let start = || WeirProcess::start_with(env!("CARGO_BIN_EXE_weir"), None, &["--client-http", &address]);
    let mut first = start().expect("a server");
    json(&first, &["import", &genuine_package()]);
    let mut player = Player::new(&first, 1);
    run(player.good_round());
    let before = player.known();
    first.kill().expect("killed");
    let second = start().expect("another");
    json(&second, &["import", &genuine_package()]);
    run(async {
        let round = player.good_round().await;
        let code = round.scan.recovered.first().copied();
        assert!(matches!(code, Some(ErrorCode::InvalidCookie | ErrorCode::ServerChanged)), "{code:?}");
        assert!(round.scan.refreshed);
        assert_eq!(player.known(), before);
    });
}
