//! A bundle as it is brought: its manifest with the signature first, then its parts, each sent on to REST while it comes. What a file
//! is, its first bytes say, so that its name does not matter.

use axum::{
    extract::{
        Multipart, Path,
        multipart::{Field as Sent, MultipartError, MultipartRejection},
    },
    response::Response,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::{Bytes, BytesMut};
use http::Method;
use maud::{Markup, html};
use weir_api::{
    Problem,
    access::Role,
    bundle::{Bundle, BundleOffer},
};

use super::{bundle, import, must, too_much, upload};
use crate::{
    address::{Address, path},
    cx::Cx,
    failure::Failure,
    flash::see,
    relay,
    texts::infrastructure_files as f,
    ui::form::{Errors, Field},
};

/// Bytes of a manifest, with room to spare: the format allows 2,900,000.
const LONGEST_HEAD: usize = 4 << 20;
/// Fields of a form: a bundle that large comes in several.
const MOST_FIELDS: usize = 5_000;
/// What a signature begins with.
const SIGNATURE: &[u8] = b"WEIRSIG1";
/// What a part begins with.
const PART: &[u8] = b"WEIRPART";
/// Characters of a fingerprint.
const FINGERPRINT: usize = 64;
/// Where the number of a part is.
const NUMBER: std::ops::Range<usize> = 12..16;

/// The fields of a bundle.
pub(super) fn fields(cx: &Cx, errors: &Errors) -> Markup {
    let head = Field::new("head", f::bundle_head(cx), errors).help(f::bundle_head_help(cx)).required();
    html! {
        (Field::new("force", f::bundle_force(cx), errors).help(f::bundle_force_help(cx)).switch(false))
        (upload::files(&head, Some(".weir,.sig")))
        (more_field(cx, false))
    }
}

/// The field of parts.
pub(super) fn more_field(cx: &Cx, required: bool) -> Markup {
    let none = Errors::default();
    let field = Field::new("part", f::bundle_parts(cx), &none).help(f::bundle_parts_help(cx));
    upload::files(&if required { field.required() } else { field }, None)
}

/// What came before the parts.
#[derive(Default)]
struct Head {
    manifest: Option<Bytes>,
    signature: Option<Bytes>,
    force: bool,
}

/// Why a file was not taken, by its name.
pub(super) type Refused = Vec<(String, String)>;

/// Takes a bundle in: offers its manifest, then sends its parts.
pub(super) async fn offer(cx: Cx, form: Result<Multipart, MultipartRejection>) -> Result<Response, Failure> {
    must(&cx, Role::Operator)?;
    let mut form = match form {
        Ok(form) => form,
        Err(error) => return broken(&cx, error.body_text()).await,
    };
    let (mut head, mut taken, mut refused) = (Head::default(), None::<Bundle>, Refused::new());
    for seen in 0.. {
        if seen > MOST_FIELDS {
            return Err(too_much());
        }
        let mut field = match form.next_field().await {
            Ok(Some(field)) => field,
            Ok(None) => break,
            Err(error) => return broken(&cx, error.body_text()).await,
        };
        let name = field.name().unwrap_or_default().to_owned();
        let file = field.file_name().unwrap_or_default().to_owned();
        match name.as_str() {
            "force" => head.force = true,
            "head" if !file.is_empty() => match whole(&mut field, LONGEST_HEAD).await {
                Ok(Some(bytes)) if bytes.starts_with(SIGNATURE) => head.signature = Some(bytes),
                Ok(Some(bytes)) => head.manifest = Some(bytes),
                Ok(None) => return import::page(&cx, &Errors::default().field("head", f::head_too_long(&cx))).await,
                Err(error) => return broken(&cx, error.body_text()).await,
            },
            "part" if !file.is_empty() => {
                let bundle = match &taken {
                    Some(bundle) => bundle.clone(),
                    None => match offered(&cx, &head).await? {
                        Ok(bundle) => bundle,
                        Err((cx, errors)) => return import::page(&cx, &errors).await,
                    },
                };
                taken = Some(part(&cx, bundle, &file, &mut field, &mut refused).await?);
            }
            _ => {}
        }
    }
    let bundle = match taken {
        Some(bundle) => bundle,
        None => match offered(&cx, &head).await? {
            Ok(bundle) => bundle,
            Err((cx, errors)) => return import::page(&cx, &errors).await,
        },
    };
    ended(&cx, &bundle, &refused).await
}

/// Takes further parts of a bundle.
pub(super) async fn more(
    cx: Cx,
    Path(id): Path<String>,
    form: Result<Multipart, MultipartRejection>,
) -> Result<Response, Failure> {
    must(&cx, Role::Operator)?;
    let mut bundle: Bundle = cx.api.get(&path(&["bundles", &id]), &()).await?;
    let mut form = match form {
        Ok(form) => form,
        Err(error) => return bundle::page(&cx, &bundle, &vec![(String::new(), error.body_text())]).await,
    };
    let mut refused = Refused::new();
    for seen in 0.. {
        if seen > MOST_FIELDS {
            return Err(too_much());
        }
        let mut field = match form.next_field().await {
            Ok(Some(field)) => field,
            Ok(None) => break,
            Err(error) => {
                refused.push((String::new(), error.body_text()));
                break;
            }
        };
        let file = field.file_name().unwrap_or_default().to_owned();
        if field.name() == Some("part") && !file.is_empty() {
            bundle = part(&cx, bundle, &file, &mut field, &mut refused).await?;
        }
    }
    ended(&cx, &bundle, &refused).await
}

async fn ended(cx: &Cx, bundle: &Bundle, refused: &Refused) -> Result<Response, Failure> {
    if refused.is_empty() {
        return Ok(see(path(&["infrastructure", "import", "bundles", &bundle.id.to_string()])));
    }
    bundle::page(cx, bundle, refused).await
}

async fn broken(cx: &Cx, why: String) -> Result<Response, Failure> {
    let problem =
        Problem { status: 400, code: "upload".to_owned(), title: String::new(), detail: why, next_step: None };
    import::page(cx, &Errors::of(&problem, &[])).await
}

/// All of a field; none if it has more than `most` bytes, of which no more is read.
pub(super) async fn whole(field: &mut Sent<'_>, most: usize) -> Result<Option<Bytes>, MultipartError> {
    let mut bytes = BytesMut::new();
    while let Some(piece) = field.chunk().await? {
        if bytes.len() + piece.len() > most {
            return Ok(None);
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(Some(bytes.freeze()))
}

/// Offers the manifest to REST, which checks who signed it. What it refuses is said where it can be mended: of a signer who is not
/// trusted, where one is.
async fn offered(cx: &Cx, head: &Head) -> Result<Result<Bundle, (Cx, Errors)>, Failure> {
    let (Some(manifest), Some(signature)) = (&head.manifest, &head.signature) else {
        return Ok(Err((cx.clone(), Errors::default().field("head", f::head_missing(cx)))));
    };
    let offer =
        BundleOffer { manifest: BASE64_STANDARD.encode(manifest), signature: BASE64_STANDARD.encode(signature) };
    let address = if head.force { "/bundles?force=true" } else { "/bundles" };
    let problem = match cx.api.post::<Bundle>(address, &offer).await {
        Ok(bundle) => return Ok(Ok(bundle)),
        Err(failure) => failure.into_problem()?,
    };
    let errors = Errors::of(&problem, &[]);
    let fingerprint = problem.detail.split(|c: char| !c.is_ascii_hexdigit()).find(|word| word.len() == FINGERPRINT);
    Ok(Err(match fingerprint.filter(|_| problem.code == "untrusted_signer") {
        Some(key) => (cx.at(Address::new("/infrastructure/import/signers").with("key", key)), errors),
        None => (cx.clone(), errors),
    }))
}

/// Sends a part. What is no part, or not one of this bundle, is noted; the others go on.
async fn part(
    cx: &Cx,
    bundle: Bundle,
    file: &str,
    field: &mut Sent<'_>,
    refused: &mut Refused,
) -> Result<Bundle, Failure> {
    let mut first = BytesMut::new();
    while first.len() < NUMBER.end {
        match field.chunk().await {
            Ok(Some(piece)) => first.extend_from_slice(&piece),
            Ok(None) => break,
            Err(error) => {
                refused.push((file.to_owned(), error.body_text()));
                return Ok(bundle);
            }
        }
    }
    let Some(number) = number(&first) else {
        refused.push((file.to_owned(), f::no_part(cx).to_owned()));
        return Ok(bundle);
    };
    let address = Address::new(path(&["bundles", &bundle.id.to_string(), "parts", &number.to_string()]));
    match relay::pipe::<Bundle>(cx, Method::PUT, &address, first.freeze(), field).await {
        Ok(bundle) => Ok(bundle),
        Err(failure) => {
            refused.push((file.to_owned(), failure.into_problem()?.detail));
            Ok(bundle)
        }
    }
}

/// The number of a part, if these are the first bytes of one.
fn number(first: &[u8]) -> Option<u32> {
    let number = first.get(NUMBER).filter(|_| first.starts_with(PART))?;
    Some(u32::from_le_bytes(number.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn a_part_says_its_number_itself() {
        assert_eq!(number(b"WEIRPART\x01\0\0\0\x02\x01\0\0rest"), Some(258));
        assert_eq!(number(b"WEIRPART\x01\0\0\0\x02"), None, "too short");
        assert_eq!(number(b"WEIRSIG1\x01\0\0\0\x02\0\0\0"), None, "something else");
    }
}
