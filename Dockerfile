# The program as an image, the same for every role: `docker build -t mtc .`
FROM oven/bun:1.4.4-slim AS packages
WORKDIR /app
COPY package.json bun.lock bunfig.toml ./
RUN bun install --frozen-lockfile --production

FROM oven/bun:1.4.4-slim
WORKDIR /app
# chDB's library comes along, half a gigabyte: it is loaded only where the embedded engine is opened.
COPY --from=packages /app/node_modules node_modules
COPY package.json bun.lock bunfig.toml tsconfig.json LICENSE ./
COPY deploy/healthy.ts deploy/healthy.ts
COPY domain domain
COPY analytics-sql analytics-sql
COPY ingest ingest
COPY views views
COPY server server
RUN mkdir /data && chown bun:bun /data
ENV NODE_ENV=production MTC_HOST=0.0.0.0 MTC_DATA_DIR=/data
USER bun
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["bun", "deploy/healthy.ts"]
CMD ["bun", "server/main.ts"]
