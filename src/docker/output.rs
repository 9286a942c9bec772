//! How a container ends and what it printed.

use bollard::Docker;
use bollard::errors::Error as BollardError;
use bollard::query_parameters::{LogsOptions, LogsOptionsBuilder, WaitContainerOptions};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};

use super::{Engine, Error};

impl Engine {
    /// Waits until it does not run and answers its exit code; at once when it has ended already.
    pub async fn wait_container(&self, name: &str) -> Result<i64, Error> {
        let docker = self.docker().await?;
        let outcome = docker.wait_container(name, None::<WaitContainerOptions>).next().await;
        match outcome {
            Some(Ok(answer)) => Ok(answer.status_code),
            // bollard makes an error of every exit code but 0.
            Some(Err(BollardError::DockerContainerWaitError { code, error })) if error.is_empty() => Ok(code),
            Some(Err(error)) => Err(self.connection.explain(error)),
            None => Err(self.connection.explain(BollardError::IOError {
                err: std::io::ErrorKind::UnexpectedEof.into(),
            })),
        }
    }

    /// The last lines that it printed, stdout and stderr together, oldest first.
    pub async fn last_output(&self, name: &str, lines: usize) -> Result<Vec<String>, Error> {
        let docker = self.docker().await?;
        let options = output_options().tail(&lines.to_string()).build();
        let chunks: Vec<Bytes> = output(&docker, name, options)
            .try_collect()
            .await
            .map_err(self.explain())?;
        let text = String::from_utf8_lossy(&chunks.concat()).into_owned();
        Ok(text.lines().map(str::to_owned).collect())
    }

    /// What it prints, stdout and stderr together, from its first byte until it ends. Of a container that does not run:
    /// what it has printed, so start it first.
    pub fn follow_output(&self, name: &str) -> impl Stream<Item = Result<Bytes, Error>> + Send + use<> {
        let engine = self.clone();
        let name = name.to_owned();
        let opened = async move {
            let docker = engine.docker().await?;
            let options = output_options().follow(true).tail("all").build();
            Ok(output(&docker, &name, options).map_err(move |error| engine.connection.explain(error)))
        };
        stream::once(opened).try_flatten()
    }
}

fn output_options() -> LogsOptionsBuilder {
    LogsOptionsBuilder::default().stdout(true).stderr(true)
}

fn output(
    docker: &Docker,
    name: &str,
    options: LogsOptions,
) -> impl Stream<Item = Result<Bytes, BollardError>> + Send + use<> {
    docker.logs(name, Some(options)).map_ok(|chunk| chunk.into_bytes())
}
