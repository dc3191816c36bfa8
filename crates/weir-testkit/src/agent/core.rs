//! What the agent needs to know of Core and Extended fragments.

use anyhow::{Context as _, Result, bail};
use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};
use weir_model::{
    ids::{ContentDigest, UpdateIdentity},
    update::UpdateType,
};

/// The facts of a Core fragment.
pub(super) struct Core {
    pub(super) identity: UpdateIdentity,
    pub(super) update_type: UpdateType,
    pub(super) deployable: bool,
    pub(super) bundled: Vec<Vec<UpdateIdentity>>,
}

/// One `File` of an Extended fragment.
pub(super) struct File {
    pub(super) digest: ContentDigest,
    pub(super) name: String,
    pub(super) size: u64,
    pub(super) sha256: String,
}

/// Reads a Core fragment: several top-level elements without namespaces.
pub(super) fn core(fragment: &str) -> Result<Core> {
    let mut identity = None;
    let mut properties = None;
    let mut bundled: Vec<Vec<UpdateIdentity>> = Vec::new();
    walk(fragment, |path, element, _| {
        match path {
            ["UpdateIdentity"] => identity = Some(self::identity(element)?),
            ["Properties"] => {
                let kind = match attribute(element, "UpdateType")?.as_deref() {
                    Some("Category") => UpdateType::Category,
                    Some("Detectoid") => UpdateType::Detectoid,
                    Some("Driver") => UpdateType::Driver,
                    Some("Software") => UpdateType::Software,
                    other => bail!("UpdateType is {other:?}"),
                };
                properties = Some((kind, attribute(element, "ExplicitlyDeployable")?.as_deref() == Some("true")));
            }
            ["Relationships", "BundledUpdates", "AtLeastOne"] => bundled.push(Vec::new()),
            ["Relationships", "BundledUpdates", "UpdateIdentity"] => bundled.push(vec![self::identity(element)?]),
            ["Relationships", "BundledUpdates", "AtLeastOne", "UpdateIdentity"] => {
                let member = self::identity(element)?;
                bundled.last_mut().context("a member outside its clause")?.push(member);
            }
            _ => {}
        }
        Ok(())
    })
    .with_context(|| format!("Core fragment {}", fragment.chars().take(300).collect::<String>()))?;
    let identity = identity.context("a Core fragment without UpdateIdentity")?;
    let (update_type, deployable) = properties.with_context(|| format!("the Core of {identity} has no Properties"))?;
    Ok(Core { identity, update_type, deployable, bundled })
}

/// The files of an Extended fragment.
pub(super) fn files(fragment: &str) -> Result<Vec<File>> {
    let mut files: Vec<File> = Vec::new();
    walk(fragment, |path, element, text| {
        match path {
            ["Files", "File"] => files.push(File {
                digest: ContentDigest::from_base64(&attribute(element, "Digest")?.context("a File without Digest")?)?,
                name: attribute(element, "FileName")?.context("a File without FileName")?,
                size: attribute(element, "Size")?.context("a File without Size")?.parse()?,
                sha256: String::new(),
            }),
            ["Files", "File", "AdditionalDigest"]
                if attribute(element, "Algorithm")?.is_some_and(|name| name.eq_ignore_ascii_case("SHA256")) =>
            {
                text.clone_into(&mut files.last_mut().context("a digest outside its File")?.sha256);
            }
            _ => {}
        }
        Ok(())
    })
    .with_context(|| format!("Extended fragment {}", fragment.chars().take(300).collect::<String>()))?;
    Ok(files)
}

/// Calls `visit` with the path, the start tag and the text directly after it, for each element.
fn walk(fragment: &str, mut visit: impl FnMut(&[&str], &BytesStart<'_>, &str) -> Result<()>) -> Result<()> {
    let mut reader = Reader::from_str(fragment);
    let mut path: Vec<String> = Vec::new();
    let mut open: Option<(BytesStart<'_>, String)> = None;
    loop {
        let event = reader.read_event()?;
        if let (Some((_, text)), Event::Text(more)) = (&mut open, &event) {
            text.push_str(&more.xml10_content());
            continue;
        }
        if let Some((element, text)) = open.take() {
            let names: Vec<&str> = path.iter().map(String::as_str).collect();
            visit(&names, &element, &text)?;
        }
        match event {
            Event::Start(element) => {
                path.push(element.name().into_inner().to_owned());
                open = Some((element, String::new()));
            }
            Event::Empty(element) => {
                let mut names: Vec<&str> = path.iter().map(String::as_str).collect();
                let name = element.name().into_inner().to_owned();
                names.push(&name);
                visit(&names, &element, "")?;
            }
            Event::End(_) => {
                path.pop();
            }
            Event::Eof if path.is_empty() => return Ok(()),
            Event::Eof => bail!("the fragment ends inside {}", path.join("/")),
            Event::DocType(_) => bail!("a document type declaration"),
            _ => {}
        }
    }
}

fn identity(element: &BytesStart<'_>) -> Result<UpdateIdentity> {
    let id = attribute(element, "UpdateID")?.context("an UpdateIdentity without UpdateID")?;
    let revision = attribute(element, "RevisionNumber")?.map_or(Ok(0), |text| text.parse())?;
    Ok(UpdateIdentity::new(id.parse()?, revision))
}

fn attribute(element: &BytesStart<'_>, name: &str) -> Result<Option<String>> {
    let Some(attribute) = element.try_get_attribute(name)? else { return Ok(None) };
    Ok(Some(attribute.normalized_value(quick_xml::XmlVersion::Explicit1_0)?.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recorded_fragments_are_understood() {
        let core =
            core(&crate::shared::shared_text("captures/updates/ccb78947-6453-4ecc-9de8-bc0305c98f2d-r200.core.xml"))
                .expect("understood");
        assert_eq!(core.identity.to_string(), "ccb78947-6453-4ecc-9de8-bc0305c98f2d@200");
        assert_eq!(core.update_type, UpdateType::Software);
        assert!(!core.deployable);
        assert_eq!(core.bundled.iter().map(Vec::len).collect::<Vec<_>>(), [4]);

        let files = files(&crate::shared::shared_text(
            "captures/updates/266f6222-c89d-43f2-9f8a-69340271e677-r200.extended.xml",
        ))
        .expect("understood");
        assert_eq!(files.len(), 1);
        assert_eq!((files[0].name.as_str(), files[0].size), ("AM_Delta.exe", 11_606_440));
        assert_eq!(files[0].sha256, "Amt0qymy5KsROiwIXm4QIIV75Ju4r+Cl28Pg8gaLXUA=");
        assert_eq!(files[0].digest.to_base64(), "h/W9BGlYUAaqXTp30cZi/SiV3c0=");
    }

    #[test]
    fn broken_fragments_are_refused() {
        assert!(core("<UpdateIdentity UpdateID=\"x\" />").is_err());
        assert!(core("<Properties UpdateType=\"Software\">").is_err());
        assert!(core("").is_err());
    }
}
