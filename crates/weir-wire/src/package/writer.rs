use std::io::{Seek, Write};

use weir_model::ids::UpdateIdentity;

use super::{Package, PackageError};

/// Plain bytes of `metadata.txt` for so many records with so many bytes of documents in all.
pub fn metadata_size(records: u64, document_bytes: u64) -> u64 {
    let _ = (records, document_bytes);
    unimplemented!()
}

/// Writes a package in the genuine layout, MSZIP instead of LZX.
#[derive(Debug)]
pub struct Writer<W> {
    sink: W,
}

impl<W: Write + Seek> Writer<W> {
    /// Writes `package.xml`. `document_bytes` is the sum of the documents' UTF-8 lengths: a package that a cabinet cannot hold
    /// is refused before anything is written.
    pub fn create(sink: W, package: &Package, document_bytes: u64) -> Result<Self, PackageError> {
        let _ = (&sink, package, document_bytes);
        unimplemented!()
    }

    /// Writes the next record; they come in the order of `package.updates`.
    pub fn record(&mut self, identity: UpdateIdentity, text: &str) -> Result<(), PackageError> {
        let _ = (identity, text, &mut self.sink);
        unimplemented!()
    }

    /// Ends the package and gives the sink back.
    pub fn finish(self) -> Result<W, PackageError> {
        unimplemented!()
    }
}
