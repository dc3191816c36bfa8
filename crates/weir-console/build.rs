//! Makes a function of every text: `texts/en/AREA.toml` becomes the module `texts::AREA`, so that a text that is missing, or
//! that is given the wrong arguments, does not compile, and one that nothing uses is a warning. Makes a list of the guides, too,
//! which the help shows.

use std::{env, fmt::Write as _, fs, path::Path};

use toml::{Table, Value};

const FORMS: [&str; 6] = ["zero", "one", "two", "few", "many", "other"];

fn main() {
    guides();
    println!("cargo::rerun-if-changed=texts");
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("texts");
    let mut areas: Vec<String> = fs::read_dir(root.join("en"))
        .expect("texts/en is there")
        .filter_map(|entry| entry.expect("it can be read").file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(".toml").map(str::to_owned))
        .collect();
    areas.sort();
    let mut out =
        String::from("/// The texts that are built in, an area each.\npub(crate) static AREAS: &[Area] = &[\n");
    for area in &areas {
        let path = |language: &str| root.join(language).join(format!("{area}.toml")).display().to_string();
        let (en, nl) = (path("en"), path("nl"));
        writeln!(out, "Area {{ name: {area:?}, en: include_str!({en:?}), nl: include_str!({nl:?}) }},").expect("text");
    }
    out.push_str("];\n");
    let mut keys = Vec::new();
    for area in &areas {
        let file = root.join("en").join(format!("{area}.toml"));
        let text = fs::read_to_string(&file).expect("it can be read");
        let table: Table = text.parse().unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        writeln!(out, "/// Texts of this area.\n#[allow(rustdoc::bare_urls, rustdoc::invalid_html_tags, rustdoc::broken_intra_doc_links)]\npub(crate) mod {area} {{\n#[allow(unused_imports)] use super::super::{{Argument, Cx, Flash}};")
            .expect("text");
        for (key, value) in &table {
            entry(&mut out, &mut keys, area, key, value);
        }
        out.push_str("}\n");
    }
    writeln!(out, "/// Every text, in the order of their numbers.\npub(crate) static KEYS: &[&str] = &{keys:?};")
        .expect("text");
    fs::write(Path::new(&env::var("OUT_DIR").expect("cargo sets it")).join("texts.rs"), out)
        .expect("it can be written");
}

/// The guides: every file of `docs`, and what they point to beside it.
fn guides() {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("../..");
    let mut files: Vec<String> = Vec::new();
    let mut folders = vec!["docs".to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root.join(&folder)).expect("docs is there") {
            let entry = entry.expect("it can be read");
            let path = format!("{folder}/{}", entry.file_name().to_str().expect("names are plain"));
            if entry.file_type().expect("it has a type").is_dir() {
                folders.push(path);
            } else if Path::new(&path).extension().is_some_and(|extension| extension == "md") {
                files.push(path);
            }
        }
    }
    files.extend(["README.md", "CHANGELOG.md", "ARCHITECTURE.md"].map(str::to_owned));
    files.sort();
    let mut out = String::from("/// Every guide, by path.\npub(crate) static GUIDES: &[Guide] = &[\n");
    println!("cargo::rerun-if-changed=../../docs");
    for file in &files {
        println!("cargo::rerun-if-changed=../../{file}");
        let text = root.join(file).display().to_string();
        writeln!(out, "Guide {{ path: {file:?}, text: include_str!({text:?}) }},").expect("text");
    }
    out.push_str("];\n");
    fs::write(Path::new(&env::var("OUT_DIR").expect("cargo sets it")).join("guides.rs"), out)
        .expect("it can be written");
}

fn entry(out: &mut String, keys: &mut Vec<String>, area: &str, key: &str, value: &Value) {
    let number = keys.len();
    match value {
        Value::String(text) => {
            keys.push(format!("{area}.{key}"));
            function(out, number, key, text, false);
        }
        Value::Table(table)
            if table.contains_key("other") && table.keys().all(|form| FORMS.contains(&form.as_str())) =>
        {
            keys.push(format!("{area}.{key}"));
            let other = table.get("other").and_then(Value::as_str).expect("a form is a text");
            function(out, number, key, other, true);
        }
        Value::Table(table) if key == "flash" => {
            for (code, value) in table {
                flash(out, &format!("{area}.flash.{code}"), code, value);
                keys.push(format!("{area}.flash.{code}"));
            }
        }
        // read by the catalogue itself
        Value::Table(_) if key == "language" && area == "common" => keys.push(format!("{area}.{key}")),
        Value::Table(table) => {
            keys.push(format!("{area}.{key}"));
            assert!(table.values().all(Value::is_str), "{area}.{key}: a table of words holds texts");
            writeln!(
                out,
                "/// One of the words `{key}`; the value itself if there is none for it.\npub(crate) fn {key}(cx: &Cx, value: &str) -> String {{ cx.words().word({number}, value) }}"
            )
            .expect("text");
        }
        _ => panic!("{area}.{key}: neither a text, nor forms, nor a table of words"),
    }
}

fn function(out: &mut String, number: usize, key: &str, text: &str, counted: bool) {
    let names = arguments(text);
    let doc = text.replace(['\n', '[', ']', '<', '>'], " ");
    if names.is_empty() && !counted {
        writeln!(out, "/// {doc}\npub(crate) fn {key}(cx: &Cx) -> &str {{ cx.words().plain({number}) }}")
            .expect("text");
        return;
    }
    let mut parameters = String::new();
    let mut values = String::new();
    if counted {
        parameters.push_str(", n: u64");
    }
    for name in names.iter().filter(|name| !counted || *name != "n") {
        write!(parameters, ", {name}: impl std::fmt::Display").expect("text");
        write!(values, "({name:?}, &{name} as Argument<'_>), ").expect("text");
    }
    let count = if counted { "Some(n)" } else { "None" };
    writeln!(
        out,
        "/// {doc}\npub(crate) fn {key}(cx: &Cx{parameters}) -> String {{ cx.words().filled({number}, {count}, &[{values}]) }}"
    )
    .expect("text");
}

/// A message for the next page: what it says is looked up there.
fn flash(out: &mut String, name: &str, code: &str, value: &Value) {
    let (text, counted) = match value {
        Value::String(text) => (text.as_str(), false),
        Value::Table(table) => (table.get("other").and_then(Value::as_str).expect("forms have `other`"), true),
        _ => panic!("{name}: neither a text nor forms"),
    };
    let names = arguments(text);
    let mut parameters = Vec::new();
    let mut calls = String::new();
    if counted {
        parameters.push("n: u64".to_owned());
        calls.push_str(".with(\"n\", n)");
    }
    for argument in names.iter().filter(|argument| !counted || *argument != "n") {
        parameters.push(format!("{argument}: impl std::fmt::Display"));
        write!(calls, ".with({argument:?}, {argument})").expect("text");
    }
    let parameters = parameters.join(", ");
    writeln!(out, "/// {text}\npub(crate) fn flash_{code}({parameters}) -> Flash {{ Flash::new({name:?}){calls} }}")
        .expect("text");
}

/// Names in braces, in the order of their first appearance.
fn arguments(text: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for part in text.split('{').skip(1) {
        let Some((name, _)) = part.split_once('}') else { panic!("a brace is not closed: {text}") };
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}
