//! Whether content files, in a folder or in an object store, are what the database says.

use std::{
    collections::{HashMap, HashSet},
    fs,
    path::Path,
    sync::Arc,
};

use weir_model::ids::ContentDigest;
use weir_store::{
    StoreError,
    backup::Inspection,
    content::{ContentStore, objects::Objects},
    content_file::{ContentFileRow, ContentState},
};

use super::{
    CONTENT_DIFFERS, CONTENT_LEFT_OVER, CONTENT_MISSING, CONTENT_PUT_ASIDE, Finding, Look, NAMED, OBJECT_STORE,
};
use crate::{
    admin::chain,
    backup::{objects, sum},
};

/// Rows read at once.
const PAGE: u32 = 1_000;

/// Files of a kind.
#[derive(Default)]
struct Files {
    count: u64,
    named: Vec<String>,
}

impl Files {
    fn add(&mut self, name: impl FnOnce() -> String) {
        self.count += 1;
        if self.named.len() < NAMED {
            self.named.push(name());
        }
    }
}

/// What is wrong with a file.
#[derive(Debug, Eq, PartialEq)]
enum Wrong {
    Missing,
    Differs(String),
}

/// Where content is looked at.
enum Shelf {
    /// In the content folder.
    Folder,
    /// In an object store, of which all names are known.
    Objects(Listing),
}

/// What an object store has: bytes by name. Read once, since a question for each file would take hours.
struct Listing {
    store: ContentStore,
    sizes: HashMap<String, u64>,
}

impl Listing {
    /// Lists a store that is that of this site; nothing is changed there.
    fn read(objects: Arc<Objects>, staging: &Path, site: &str) -> Result<Self, StoreError> {
        objects.recognise(site)?;
        let (store, mut sizes) = (ContentStore::look_at(staging).with_objects(objects), HashMap::new());
        store.walk(&mut |stray| {
            sizes.insert(stray.path.to_string_lossy().into_owned(), stray.size);
        })?;
        Ok(Self { store, sizes })
    }

    /// What is wrong with the file of a row, as far as names and sizes say.
    fn wrong(&self, row: &ContentFileRow) -> Option<Wrong> {
        match self.sizes.get(&ContentStore::relative_path(row.digest, &row.extension)) {
            None => Some(Wrong::Missing),
            Some(size) => resized(*size, row),
        }
    }

    /// The same, of the bytes.
    fn read_wrong(&self, row: &ContentFileRow) -> Result<Option<Wrong>, StoreError> {
        let name = ContentStore::relative_path(row.digest, &row.extension);
        Ok(match self.store.measure(Path::new(&name))? {
            Some(measured) if measured.stored.sha256 == row.sha256 => None,
            Some(_) => Some(Wrong::Differs("another SHA-256".to_owned())),
            // it went, or became another, since it was listed
            None => Some(Wrong::Missing),
        })
    }
}

fn resized(size: u64, row: &ContentFileRow) -> Option<Wrong> {
    (size != row.size).then(|| Wrong::Differs(format!("{size} bytes instead of {}", row.size)))
}

impl Look<'_, '_> {
    /// Where content is; none if that cannot be looked at.
    fn shelf(&mut self, inspection: &Inspection) -> Option<Shelf> {
        let listed = objects(self.settings).and_then(|objects| {
            let Some(objects) = objects else { return Ok(Shelf::Folder) };
            (self.watch)("object store", 0, 0);
            let site = inspection.read(|tx| tx.site())?.map(|site| site.server_id).unwrap_or_default();
            Listing::read(objects, &self.settings.content, &site.to_string()).map(Shelf::Objects)
        });
        match listed {
            Ok(shelf) => Some(shelf),
            Err(error) => {
                self.unreachable(&error);
                None
            }
        }
    }

    fn unreachable(&mut self, error: &StoreError) {
        let place = self.settings.objects.as_ref().map(|place| place.address.text()).unwrap_or_default();
        let detail = format!(
            "the object store that has the content could not be looked at, and nothing is known of the files in it: {}",
            chain(error)
        );
        let next_step = "see that it answers, and is the right one, with the credentials that the process settings name; then look again";
        self.add(Finding::new(OBJECT_STORE, vec![place], detail, next_step));
    }

    pub(super) fn content(&mut self, inspection: &Inspection) {
        let Some(shelf) = self.shelf(inspection) else { return };
        let (mut missing, mut differs, mut aside) = (Files::default(), Files::default(), Files::default());
        let mut known = HashSet::new();
        let mut cursor = None;
        loop {
            // an older schema has other columns; what it lacks was said
            let Ok(page) = inspection.read(|tx| tx.content_file_list(cursor.as_deref(), PAGE)) else { return };
            for row in page.items {
                known.insert(row.digest);
                if row.state != ContentState::Verified {
                    aside.add(|| ContentStore::relative_path(row.digest, &row.extension));
                    continue;
                }
                self.diagnosis.content_files += 1;
                let wrong = match self.wrong(&shelf, &row) {
                    Ok(wrong) => wrong,
                    Err(error) => return self.unreachable(&error),
                };
                match wrong {
                    Some(_) if is_gone(inspection, &row) => {}
                    Some(Wrong::Missing) => missing.add(|| ContentStore::relative_path(row.digest, &row.extension)),
                    Some(Wrong::Differs(how)) => {
                        differs.add(|| format!("{}: {how}", ContentStore::relative_path(row.digest, &row.extension)));
                    }
                    None => {}
                }
            }
            (self.watch)("content files", self.diagnosis.content_files, 0);
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        let repair =
            "weir content repair: what differs is put aside and never served, what is missing is fetched or named";
        if missing.count > 0 {
            let detail = "content files are not there: computers that want them get nothing until they come";
            self.add(Finding::new(CONTENT_MISSING, missing.named, detail, repair).of(missing.count));
        }
        if differs.count > 0 {
            let detail = "content files are not what they should be: computers refuse them after the download";
            let next_step = format!("{repair}; often: look after the disk");
            self.add(Finding::new(CONTENT_DIFFERS, differs.named, detail, next_step).of(differs.count));
        }
        if aside.count > 0 {
            let detail = "content files were put aside or are known to be gone: they are not served";
            self.add(Finding::new(CONTENT_PUT_ASIDE, aside.named, detail, "weir content repair").of(aside.count));
        }
        self.unknown(&shelf, &known);
    }

    /// What is wrong with a file. An error means that the object store did not say.
    fn wrong(&mut self, shelf: &Shelf, row: &ContentFileRow) -> Result<Option<Wrong>, StoreError> {
        let Shelf::Objects(listing) = shelf else { return Ok(self.wrong_here(row)) };
        match listing.wrong(row) {
            None if self.wanted.content => {
                (self.watch)("content files", self.diagnosis.content_files, 0);
                listing.read_wrong(row)
            }
            wrong => Ok(wrong),
        }
    }

    /// What is wrong with a file of the folder.
    fn wrong_here(&mut self, row: &ContentFileRow) -> Option<Wrong> {
        let path = self.settings.content.join(ContentStore::relative_path(row.digest, &row.extension));
        let Ok(size) = fs::metadata(&path).map(|file| file.len()) else { return Some(Wrong::Missing) };
        let resized = resized(size, row);
        if resized.is_some() || !self.wanted.content {
            return resized;
        }
        (self.watch)("content files", self.diagnosis.content_files, 0);
        match sum(&path, &mut |_| Ok(())) {
            Ok(found) if found.sha256 == row.sha256 => None,
            Ok(_) => Some(Wrong::Differs("another SHA-256".to_owned())),
            Err(error) => Some(Wrong::Differs(error.to_string())),
        }
    }

    /// Files that lie where content files lie and that the database does not know.
    fn unknown(&mut self, shelf: &Shelf, known: &HashSet<ContentDigest>) {
        let mut left = Files::default();
        for path in self.paths(shelf) {
            let name = path.rsplit('/').next().unwrap_or_default();
            let digest = name.get(..40).and_then(|hex| ContentDigest::from_hex(hex).ok());
            if digest.is_none_or(|digest| !known.contains(&digest)) {
                left.add(|| path);
            }
        }
        if left.count > 0 {
            let detail =
                "files lie where content is that the database does not know: they take room and are not served";
            let next_step = "weir content repair takes in those that an update names; others can be removed by hand";
            self.add(Finding::new(CONTENT_LEFT_OVER, left.named, detail, next_step).of(left.count));
        }
    }
}

impl Look<'_, '_> {
    /// Paths of files where content files are, in order. In the folder those below the names that content has; others are somebody's.
    fn paths(&self, shelf: &Shelf) -> Vec<String> {
        let mut paths: Vec<String> = Vec::new();
        match shelf {
            Shelf::Objects(listing) => paths.extend(listing.sizes.keys().cloned()),
            Shelf::Folder => {
                let folders = fs::read_dir(&self.settings.content).into_iter().flatten().flatten();
                for folder in folders.filter(|folder| folder.file_name().len() == 2) {
                    let name = folder.file_name().to_string_lossy().into_owned();
                    let files = fs::read_dir(folder.path()).into_iter().flatten().flatten();
                    paths.extend(files.map(|file| format!("{name}/{}", file.file_name().to_string_lossy())));
                }
            }
        }
        paths.sort_unstable();
        paths
    }
}

/// Whether the server removed a file while it was looked at.
fn is_gone(inspection: &Inspection, row: &ContentFileRow) -> bool {
    let now: Result<Option<ContentFileRow>, StoreError> = inspection.read(|tx| tx.content_file_show(row.digest));
    now.is_ok_and(|now| now.as_ref() != Some(row))
}
