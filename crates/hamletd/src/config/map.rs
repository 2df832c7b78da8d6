//! What the layers below are told: their own structures, which know no configuration file.

use super::{Config, Pse};
use crate::data_dir::DataDir;
use hamlet_store::{StoreConfig, StoreUrl};

impl Config {
    /// For the store.
    pub fn store(&self, data_dir: &DataDir) -> StoreConfig {
        let url = self.store.url.0.clone();
        StoreConfig {
            readers: self.store.readers as usize,
            writers: self.store.writers as usize,
            ..StoreConfig::new(url.unwrap_or_else(|| StoreUrl::Sqlite(data_dir.store_file())))
        }
    }

    /// Keys that were given a value although the service that they belong to is not part of
    /// this version.
    pub fn not_served(&self) -> Vec<&'static str> {
        let elsewhere = matches!(self.elements.presence, Pse::Domain(_));
        let mut keys = vec![];
        keys.extend(elsewhere.then_some("elements.presence"));
        for key in [
            "ssp.listen",
            "cir.tcp.listen",
            "cir.udp.listen",
            "elements.presence_of",
        ] {
            keys.extend(self.is_set(key).then_some(key));
        }
        keys
    }
}
