//! One macro for closed sets of words, so that SQL, JSON, forms and pages spell them alike.

/// Declares an enum whose variants are words: `as_str`, `parse`, `ALL`, `Display`, serde by the word.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant),* }

        impl $name {
            /// Every variant, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word for it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }

            /// From its word; the refusal lists the allowed ones.
            pub fn parse(text: &str) -> Result<Self, $crate::model::Invalid> {
                match text {
                    $($word => Ok(Self::$variant),)*
                    _ => Err($crate::model::Invalid::new(concat!("Use one of:" $(, " ", $word)*, "."))),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

pub(crate) use words;
