//! What Postfix reads of its host: which Postfix it is, and where it runs.

use super::Interface;
use crate::postfix::{Build, Version};
use crate::syntax::expand::Dialect;

/// The Postfix that reads the files, and its host.
#[derive(Clone, Debug)]
pub struct Environment {
    /// Which Postfix.
    pub build: Build,
    /// The host's name; `None`: no host is meant.
    pub hostname: Option<String>,
    /// The host's addresses.
    pub interfaces: Vec<Interface>,
    /// What `$process_id` stands for; `None`: nothing.
    pub process_id: Option<u32>,
    /// What `$config_directory` stands for where main.cf does not say.
    pub config_directory: ConfigDirectory,
}

/// Where main.cf stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigDirectory {
    /// Anywhere, as a copy: `$config_directory` is not expanded.
    Anywhere,
    /// Where Postfix looks by itself.
    Usual,
    /// Where Postfix's programs are told to look, by `-c` or `MAIL_CONFIG`.
    Named(Vec<u8>),
}

impl Environment {
    /// What the references in a value may be.
    pub fn dialect(&self) -> Dialect {
        let functions = self.build.version >= Version::new(3, 11);
        let levels = self.build.version >= Version::new(3, 6);
        Dialect { levels, functions, raw_stays: functions }
    }
}

impl From<Build> for Environment {
    fn from(build: Build) -> Environment {
        Environment {
            build,
            hostname: None,
            interfaces: Vec::new(),
            process_id: None,
            config_directory: ConfigDirectory::Anywhere,
        }
    }
}

impl From<Version> for Environment {
    fn from(version: Version) -> Environment {
        Environment::from(Build::of_version(version))
    }
}
