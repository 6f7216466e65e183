# An image of the command `dream-bert`, built by the two commands of the README: the second tests what the first made.
#
#   docker build --tag dream-promoter-bert .
#   docker run --rm --user "$(id -u):$(id -g)" --volume "$PWD:/data" dream-promoter-bert predict promoters.fa
FROM python:3.11-slim

# The linters ask git for the files.
RUN apt-get update && apt-get install --yes --no-install-recommends git make && rm -rf /var/lib/apt/lists/*

RUN useradd --create-home user && install --directory --owner user /package /data
USER user
WORKDIR /package
COPY --chown=user . .

ENV PIP_NO_CACHE_DIR=1
RUN make demo
RUN make test

ENV PATH="/package/.venv/bin:$PATH"
WORKDIR /data
ENTRYPOINT ["dream-bert"]
CMD ["--help"]
