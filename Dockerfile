# Two targets, service1 and service2. They have the same layers and start different applications.
#   docker build --target service2 --tag nest-k8s-auth/service2:dev .
# Docker pulls the image by its digest. Renovate updates the tag and the digest.
ARG NODE_IMAGE=node:24.21.0-bookworm-slim@sha256:2fe369e969550cde8e867afc3fe370b260140cab4a23d467074295b42163d553

FROM ${NODE_IMAGE} AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY libs/k8s-auth/package.json libs/k8s-auth/

FROM packages AS build
RUN npm ci --ignore-scripts
COPY nest-cli.json tsconfig.json ./
COPY apps apps
COPY libs libs
COPY scripts/bundle-library.mjs scripts/
COPY scripts/bundle scripts/bundle
RUN npm run build

# Without packages that read kubeconfigs, which pods do not have.
FROM packages AS production
RUN npm ci --omit=dev --omit=optional --ignore-scripts
COPY --from=build /app/libs/k8s-auth/dist libs/k8s-auth/dist
COPY --from=build /app/dist dist
# Replaces the workspace link by the package itself, and deletes files that only compilers and debuggers read.
RUN rm node_modules/nest-k8s-auth \
  && mv libs/k8s-auth node_modules/nest-k8s-auth \
  && rm -r libs package-lock.json .npmrc \
  && find . -type f '(' -name '*.ts' -o -name '*.mts' -o -name '*.cts' -o -name '*.map' ')' -delete

FROM ${NODE_IMAGE} AS application
ENV NODE_ENV=production
WORKDIR /app
COPY --from=production /app ./
# A number, so that the kubelet can see that the user is not root. root owns the files, so the process cannot change
# them.
USER 1000:1000

FROM application AS service1
CMD ["node", "dist/apps/service1/main.js"]

FROM application AS service2
CMD ["node", "dist/apps/service2/main.js"]
