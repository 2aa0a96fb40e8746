"""Where things are, from the root of the repository."""

DOCUMENT = "openapi.yaml"
SUPPLEMENT = "openapi.supplement.yaml"
OVERLAY = "openapi.overlay.yaml"
TEAM = "generate.toml"  # lists overlays and supplements of a team; see `codegen.team`
PACKAGE = "generated_client/tazapay_lightning_api"
CONFIGURATION = "codegen/generator-config.yml"
TEMPLATES = "templates"  # beside it: those that stand in for the generator's own
SCRATCH = ".codegen-scratch"
WRAPPER = "wrapper"
EMULATOR = "emulator"
