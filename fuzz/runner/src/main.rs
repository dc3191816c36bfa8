//! Drives one fuzz target with libFuzzer. Which one, the environment variable `WEIR_FUZZ_TARGET` says; arguments are libFuzzer's.
//! With `WEIR_FUZZ_TARGET=list` it prints each target with the longest input that makes sense for it.

#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use weir_fuzz::{TARGETS, Target, target};

static CHOSEN: OnceLock<&Target> = OnceLock::new();

fn choose() {
    let name = std::env::var("WEIR_FUZZ_TARGET").unwrap_or_default();
    if name == "list" {
        for target in TARGETS {
            println!("{} {}", target.name, target.longest);
        }
        std::process::exit(0);
    }
    let Some(target) = target(&name) else {
        eprintln!("WEIR_FUZZ_TARGET is {name:?}, which is no target");
        std::process::exit(2);
    };
    let _ = CHOSEN.set(target);
}

fuzz_target!(init: choose(), |data: &[u8]| {
    if let Some(target) = CHOSEN.get() {
        (target.run)(data);
    }
});
