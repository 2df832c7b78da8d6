//! The macro behind [`declaration`](super::declaration): from one table the structs, their
//! defaults and the list of keys.

use super::Config;

/// One key of the configuration.
pub struct Key {
    /// The name, as in the file and in `--set`.
    pub name: &'static str,
    /// The default in text form; empty for "not set".
    pub default: &'static str,
    /// What it does, for the reference; one line of source per line.
    pub doc: &'static str,
    /// What values fit.
    pub expected: &'static str,
    /// The section that the key stands in; empty for the top.
    pub section: &'static str,
    /// Whether it takes an array in the file.
    pub(super) list: bool,
    /// Sets it from its text form; `None` if the text does not fit.
    pub(super) set: fn(&mut Config, &str) -> Option<()>,
    /// The present value in text form.
    pub show: fn(&Config) -> String,
}

/// A type that a key may have.
pub trait Setting: Sized {
    /// Completes "expected …".
    const EXPECTED: &'static str;

    /// Whether an array in the file stands for its elements, separated by commas.
    const LIST: bool = false;

    /// Reads the text form.
    fn parse(text: &str) -> Option<Self>;

    /// Writes the text form; what it writes can be read again, secrets excepted.
    fn show(&self) -> String;
}

macro_rules! configuration {
    (
        $( #[doc = $top_doc:literal] )*
        top {
            $( $( #[doc = $doc:literal] )* $key:literal => $field:ident: $type:ty = $default:literal; )*
        }
        $(
            $( #[doc = $section_doc:literal] )*
            $section:ident: $Section:ident {
                $( $( #[doc = $inner_doc:literal] )* $inner_key:literal => $inner:ident: $inner_type:ty = $inner_default:literal; )*
            }
        )*
    ) => {
        $( #[doc = $top_doc] )*
        #[derive(Debug, Clone)]
        pub struct Config {
            $( $( #[doc = $doc] )* pub $field: $type, )*
            $( $( #[doc = $section_doc] )* pub $section: $Section, )*
            explicit: std::collections::BTreeSet<&'static str>,
        }

        $(
            $( #[doc = $section_doc] )*
            #[derive(Debug, Clone)]
            pub struct $Section {
                $( $( #[doc = $inner_doc] )* pub $inner: $inner_type, )*
            }
        )*

        impl Default for Config {
            fn default() -> Self {
                Self {
                    $( $field: default_value::<$type>($key, $default), )*
                    $( $section: $Section {
                        $( $inner: default_value::<$inner_type>($inner_key, $inner_default), )*
                    }, )*
                    explicit: std::collections::BTreeSet::new(),
                }
            }
        }

        impl Config {
            /// Whether the file or the command line gave a value for this key.
            pub fn is_set(&self, key: &str) -> bool {
                self.explicit.contains(key)
            }

            pub(super) fn note_set(&mut self, key: &'static str) {
                self.explicit.insert(key);
            }
        }

        /// Every key, in the order of declaration.
        pub(super) static KEYS: &[Key] = &[
            $( Key {
                name: $key,
                default: $default,
                doc: concat!($( $doc, "\n" ),*),
                expected: <$type as Setting>::EXPECTED,
                section: "",
                list: <$type as Setting>::LIST,
                set: |config, text| {
                    config.$field = <$type as Setting>::parse(text)?;
                    Some(())
                },
                show: |config| Setting::show(&config.$field),
            }, )*
            $( $( Key {
                name: $inner_key,
                default: $inner_default,
                doc: concat!($( $inner_doc, "\n" ),*),
                expected: <$inner_type as Setting>::EXPECTED,
                section: stringify!($section),
                list: <$inner_type as Setting>::LIST,
                set: |config, text| {
                    config.$section.$inner = <$inner_type as Setting>::parse(text)?;
                    Some(())
                },
                show: |config| Setting::show(&config.$section.$inner),
            }, )* )*
        ];

        /// What each section is about, for the reference.
        pub(super) static SECTIONS: &[(&str, &str)] = &[
            $( (stringify!($section), concat!($( $section_doc, "\n" ),*)), )*
        ];
    };
}

pub(super) use configuration;

/// The value of a default's text form.
///
/// # Panics
///
/// If the declaration holds a default that its own type does not read; a test reads them all.
pub(super) fn default_value<T: Setting>(key: &str, text: &str) -> T {
    T::parse(text).unwrap_or_else(|| panic!("the default `{text}` of {key} does not fit its type"))
}
