//! Any manifest, signature, part and section is read within bounds or refused. A manifest that is read is written the same.

use weir_wire::bundle::{BundleError, Document, Files, Manifest, PartReader, Records, Signature, Source};

pub(super) fn run(data: &[u8]) -> bool {
    let signature = Signature::parse(data);
    let mut is_read = signature.is_ok();
    if let Ok(manifest) = Manifest::parse(data) {
        is_read = true;
        let again = manifest.to_bytes().expect("what is read can be written");
        assert_eq!(Manifest::parse(&again).expect("own manifest"), manifest);
    }
    let Ok(mut part) = PartReader::new(data, 1) else { return is_read };
    let (mut records, mut files) = (Records::new(1 << 16), Files::default());
    while let Ok(Some(frame)) = part.frame() {
        is_read = true;
        if frame.section == 0 {
            records.push(frame.plain);
            while let Ok(Some(record)) = records.next_record() {
                let _ = (Document::read(record), Source::read(record));
            }
        } else if files.push::<BundleError>(frame.plain, &mut |_| Ok(())).is_err() {
            return is_read;
        }
    }
    is_read
}
