# The emulator and the example shop in one image; compose.yaml runs both.
FROM python:3.13-slim

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /app

# What is locked, and nothing else: a lock is installed and never resolved.
COPY requirements/container.txt requirements/
RUN pip install --no-deps --require-hashes --only-binary :all: --requirement requirements/container.txt

COPY pyproject.toml README.md LICENSE ./
COPY generated_client generated_client
COPY wrapper wrapper
COPY emulator emulator
RUN pip install --no-deps --no-build-isolation --no-index .
COPY examples examples

# A user who may write nothing but /data, where the databases are.
RUN useradd --no-create-home --uid 10001 app && mkdir /data && chown app /data
USER app
VOLUME /data

CMD ["tazapay-lightning", "emulator", "--host", "0.0.0.0"]
