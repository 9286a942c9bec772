//! What builds need to know of the network around the server.

use std::path::PathBuf;

use clap::Args;

/// What BuildKit takes for one secret (its `secretsprovider`).
const MOST_SECRET_BYTES: usize = 500 * 1024;

/// How builds reach what they load.
#[derive(Debug, Clone, Default, Args)]
pub struct BuildNetwork {
    /// Certificates (PEM) that builds trust, for networks that look into TLS.
    #[arg(long = "build-ca-file", env = "DHOW_BUILD_CA_FILE", value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// Proxy for what builds load over http.
    #[arg(long = "build-http-proxy", env = "DHOW_BUILD_HTTP_PROXY", value_parser = parse_proxy, value_name = "URL")]
    pub http_proxy: Option<String>,
    /// Proxy for what builds load over https.
    #[arg(long = "build-https-proxy", env = "DHOW_BUILD_HTTPS_PROXY", value_parser = parse_proxy, value_name = "URL")]
    pub https_proxy: Option<String>,
    /// Hosts that builds reach without a proxy, with commas between them.
    #[arg(long = "build-no-proxy", env = "DHOW_BUILD_NO_PROXY", value_name = "HOSTS")]
    pub no_proxy: Option<String>,
}

impl BuildNetwork {
    /// The build arguments that every Dockerfile has without declaring them, and that stay in no image's history (Dockerfile
    /// reference, "Predefined ARGs").
    pub fn arguments(&self) -> Vec<(String, String)> {
        let values = [
            ("HTTP_PROXY", &self.http_proxy),
            ("HTTPS_PROXY", &self.https_proxy),
            ("NO_PROXY", &self.no_proxy),
        ];
        let set = values
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.clone()?)));
        // Some programs look for the one, some for the other.
        set.flat_map(|(name, value)| [(name.to_owned(), value.clone()), (name.to_lowercase(), value)])
            .collect()
    }

    /// Whether the certificates can be used; the refusal names the flag and what is wrong.
    pub fn check(&self) -> Result<(), String> {
        let Some(path) = &self.ca_file else { return Ok(()) };
        let refuse = |why: String| format!("--build-ca-file {}: {why}", path.display());
        let text = std::fs::read_to_string(path).map_err(|error| refuse(error.to_string()))?;
        if !text.contains("-----BEGIN CERTIFICATE-----") {
            return Err(refuse("it holds no certificate in PEM".to_owned()));
        }
        if text.len() > MOST_SECRET_BYTES {
            return Err(refuse(
                "it is larger than 500 KiB, the most that a build can mount".to_owned(),
            ));
        }
        Ok(())
    }

    /// Passwords in the proxies' addresses, which no log may show.
    pub fn texts_to_hide(&self) -> Vec<String> {
        let proxies = self.http_proxy.iter().chain(&self.https_proxy);
        let password = |text: &String| Some(url::Url::parse(text).ok()?.password()?.to_owned());
        let as_sent: Vec<String> = proxies.filter_map(password).collect();
        let decoded = as_sent.iter().map(|text| {
            percent_encoding::percent_decode_str(text)
                .decode_utf8_lossy()
                .into_owned()
        });
        decoded.chain(as_sent.iter().cloned()).collect()
    }
}

fn parse_proxy(text: &str) -> Result<String, String> {
    let is_proxy = |url: &url::Url| matches!(url.scheme(), "http" | "https" | "socks5") && url.host().is_some();
    let parsed = url::Url::parse(text).ok().filter(is_proxy);
    parsed
        .map(|_| text.to_owned())
        .ok_or_else(|| "use an address such as http://proxy.example:3128".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_are_told_in_both_spellings_and_their_passwords_are_hidden() {
        let network = BuildNetwork {
            https_proxy: Some("http://me:p%40ss@proxy.example:3128".to_owned()),
            no_proxy: Some("a.example".to_owned()),
            ..BuildNetwork::default()
        };
        let names: Vec<String> = network.arguments().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"]);
        assert_eq!(network.texts_to_hide(), ["p@ss", "p%40ss"]);
        assert!(parse_proxy("proxy.example:3128").is_err() && parse_proxy("file:///x").is_err());
    }
}
