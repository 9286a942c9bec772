# What the project is worked with. Each target installs what it lacks; tests/testbed says how.
.PHONY: help demo run dev testbed test soak lint
BED := tests/testbed
ISLANDS := vite-islands/node_modules/.package-lock.json
# Where tests/testbed/node puts a node if the machine has none, and rustup puts cargo.
export PATH := $(CURDIR)/target/testbed/node/bin:$(PATH):$(HOME)/.cargo/bin

help: ## what there is to make
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 10

demo: ## from nothing to an app pushed with git and served; Ctrl-C takes it away again
	@$(BED)/demo

run: ## Dhow alone, on ports 8080 and 8443, its data in ./data
	@$(BED)/demo --bare

dev: $(ISLANDS) ## to work on Dhow: built again on a change, islands and CSS as they are on disk
	@$(BED)/dev

testbed: ## the Docker engine, and every image that the demo and the tests need
	@$(BED)/packages
	@$(BED)/engine
	@$(BED)/images

test: testbed $(ISLANDS) ## all tests, against the real engine, proxy, git server and browser
	@$(BED)/e2e-tools
	@$(BED)/browser
	npm --prefix vite-islands test
	RUST_BACKTRACE=0 cargo test --locked -- --test-threads=3 # they wait more than they work; failures name their lines

soak: testbed ## twenty minutes of load, kills and many projects, and times beside a script's
	@$(BED)/e2e-tools
	cargo test --locked --test soak -- --test-threads=1 --nocapture stories::

lint: $(ISLANDS) ## formats, clippy, dependencies, templates, scripts, the unit, the islands
	@$(BED)/packages
	@$(BED)/lint-tools
	shellcheck --external-sources --source-path=SCRIPTDIR --exclude=SC2317 $(BED)/* .ci/run packaging/install.sh
	$(BED)/check-unit packaging/dhow.service
	$(BED)/check-dockerfiles src/build/detect/snapshots/*.snap
	! grep -rnE '\|[[:space:]]*safe\b' templates # banned: it prints what users wrote as HTML
	cargo metadata --locked --format-version 1 >/dev/null
	cargo fmt --check
	npm --prefix vite-islands run typecheck
	$(BED)/check-crates
	$(BED)/check-islands
	cargo clippy --locked --all-targets --test soak -- -D warnings

$(ISLANDS): vite-islands/package-lock.json
	@$(BED)/node
	npm --prefix vite-islands ci
	@touch $@
