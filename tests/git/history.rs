//! What differs between two commits, as watched paths need it.

use dhow::git::{Error, HostedRepository, Mirror};
use dhow::model::source::CommitSha;
use tempfile::TempDir;

use crate::git_server::WorkTree;

/// A mirror with everything of a working copy.
struct Copy {
    tree: WorkTree,
    dir: TempDir,
}

impl Copy {
    fn mirror(&self) -> Mirror {
        let hosted = HostedRepository::open(&self.dir.path().join("copy.git")).unwrap();
        self.tree.git(&["push", "-q", hosted.dir().to_str().unwrap(), "--all"]);
        Mirror::open(hosted.dir()).unwrap()
    }

    /// Every path that differs, in order.
    fn changed(&self, from: &str, to: &str) -> Result<Vec<String>, Error> {
        let (from, to) = (CommitSha::parse(from).unwrap(), CommitSha::parse(to).unwrap());
        let mut paths = Vec::new();
        let none = self.mirror().find_changed(&from, &to, |path| {
            paths.push(path.to_owned());
            None::<()>
        })?;
        assert_eq!(none, None);
        Ok(paths)
    }
}

#[test]
fn every_file_that_differs_is_looked_at_and_no_other() {
    let copy = Copy {
        tree: WorkTree::new(),
        dir: TempDir::new().unwrap(),
    };
    let tree = &copy.tree;
    for path in [
        "same/a",
        "changed/deep/b",
        "removed/c",
        "becomes-a-folder",
        "becomes-a-file/d",
    ] {
        tree.write(path, "1");
    }
    let from = tree.commit("from");
    tree.git(&["rm", "-qr", "removed", "becomes-a-folder", "becomes-a-file"]);
    for path in ["changed/deep/b", "added/e", "becomes-a-folder/f", "becomes-a-file"] {
        tree.write(path, "2");
    }
    let to = tree.commit("to");
    assert_eq!(
        copy.changed(&from, &to).unwrap(),
        [
            "added/e",
            "becomes-a-file",
            "becomes-a-file/d",
            "becomes-a-folder",
            "becomes-a-folder/f",
            "changed/deep/b",
            "removed/c"
        ]
    );
    assert_eq!(copy.changed(&to, &to).unwrap(), [""; 0]);
}

#[test]
fn a_tree_that_holds_itself_again_and_again_is_given_up() {
    let copy = Copy {
        tree: WorkTree::new(),
        dir: TempDir::new().unwrap(),
    };
    let tree = &copy.tree;
    let from = tree.commit_version("small");
    let mut id = tree.git(&["rev-parse", "HEAD^{tree}"]).trim().to_owned();
    // Two names for the same tree at every level: 2 to the power of 24 files.
    for _ in 0..24 {
        let bytes = (0..20).map(|at| u8::from_str_radix(&id[2 * at..2 * at + 2], 16).unwrap());
        let bytes: Vec<u8> = bytes.collect();
        let object = [b"40000 a\0", &bytes[..], b"40000 b\0", &bytes[..]].concat();
        let file = copy.dir.path().join("object");
        std::fs::write(&file, object).unwrap();
        let stored = tree.git(&["hash-object", "-t", "tree", "-w", file.to_str().unwrap()]);
        id = stored.trim().to_owned();
    }
    let to = tree.git(&["commit-tree", &id, "-m", "bomb"]);
    tree.git(&["branch", "bomb", to.trim()]);
    let error = copy.changed(&from, to.trim()).unwrap_err();
    assert!(error.to_string().contains("More files differ"), "{error}");
}
