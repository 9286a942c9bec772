//! Debian's packages in a Dockerfile.

/// The command that installs packages and leaves no lists behind.
pub fn install(packages: &[&str]) -> String {
    let mut sorted = packages.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    format!(
        "apt-get update \\\n    && apt-get install -y --no-install-recommends {} \\\n    && rm -rf /var/lib/apt/lists/*",
        sorted.join(" ")
    )
}
