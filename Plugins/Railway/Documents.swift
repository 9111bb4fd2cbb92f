/// One GraphQL operation as it is sent: the text never changes, what varies are its variables.
struct Document: Sendable, Hashable {
    /// The operation's name in the text.
    let name: String
    let text: String
    /// Whether its variables hold values that no error may repeat; a GraphQL server likes to quote what it refuses.
    let isConfidential: Bool

    init(_ name: String, _ text: String, isConfidential: Bool = false) {
        self.name = name
        self.text = text
        self.isConfidential = isConfidential
    }
}

// Every operation that this plugin sends: https://docs.railway.com/integrations/api
extension Document {
    // MARK: Projects and services

    static let projects = Document(
        "Projects",
        """
        query Projects($workspaceId: String, $first: Int, $after: String) {
          projects(workspaceId: $workspaceId, first: $first, after: $after) {
            edges { node { id name createdAt deletedAt } }
            pageInfo { hasNextPage endCursor }
          }
        }
        """)

    static let project = Document(
        "Project",
        """
        query Project($id: String!) {
          project(id: $id) {
            id
            name
            deletedAt
            environments(first: 100) { edges { node { id name } } }
            services(first: 100) { edges { node { id name deletedAt } } }
          }
        }
        """)

    static let projectCreate = Document(
        "ProjectCreate",
        """
        mutation ProjectCreate($input: ProjectCreateInput!) {
          projectCreate(input: $input) {
            id
            name
            deletedAt
            environments(first: 100) { edges { node { id name } } }
            services(first: 100) { edges { node { id name deletedAt } } }
          }
        }
        """)

    static let projectDelete = Document(
        "ProjectDelete",
        """
        mutation ProjectDelete($id: String!) {
          projectDelete(id: $id)
        }
        """)

    static let serviceCreate = Document(
        "ServiceCreate",
        """
        mutation ServiceCreate($input: ServiceCreateInput!) {
          serviceCreate(input: $input) { id }
        }
        """)

    static let serviceDelete = Document(
        "ServiceDelete",
        """
        mutation ServiceDelete($id: String!) {
          serviceDelete(id: $id)
        }
        """)

    static let serviceInstanceUpdate = Document(
        "ServiceInstanceUpdate",
        """
        mutation ServiceInstanceUpdate(
          $serviceId: String!, $environmentId: String!, $input: ServiceInstanceUpdateInput!
        ) {
          serviceInstanceUpdate(serviceId: $serviceId, environmentId: $environmentId, input: $input)
        }
        """)

    static let variables = Document(
        "Variables",
        """
        query Variables($projectId: String!, $environmentId: String!, $serviceId: String!) {
          variables(projectId: $projectId, environmentId: $environmentId, serviceId: $serviceId)
        }
        """)

    static let variableCollectionUpsert = Document(
        "VariableCollectionUpsert",
        """
        mutation VariableCollectionUpsert($input: VariableCollectionUpsertInput!) {
          variableCollectionUpsert(input: $input)
        }
        """, isConfidential: true)

    // MARK: Deployments

    static let serviceInstanceDeploy = Document(
        "ServiceInstanceDeploy",
        """
        mutation ServiceInstanceDeploy($serviceId: String!, $environmentId: String!) {
          serviceInstanceDeployV2(serviceId: $serviceId, environmentId: $environmentId)
        }
        """)

    static let deployments = Document(
        "Deployments",
        """
        query Deployments($input: DeploymentListInput!, $first: Int) {
          deployments(input: $input, first: $first) {
            edges { node { id status createdAt meta } }
          }
        }
        """)

    static let deployment = Document(
        "Deployment",
        """
        query Deployment($id: String!) {
          deployment(id: $id) { id status }
        }
        """)

    static let buildLogs = Document(
        "BuildLogs",
        """
        query BuildLogs($deploymentId: String!, $limit: Int, $startDate: DateTime) {
          buildLogs(deploymentId: $deploymentId, limit: $limit, startDate: $startDate) { timestamp message }
        }
        """)

    static let deploymentLogs = Document(
        "DeploymentLogs",
        """
        query DeploymentLogs($deploymentId: String!, $limit: Int, $startDate: DateTime) {
          deploymentLogs(deploymentId: $deploymentId, limit: $limit, startDate: $startDate) { timestamp message }
        }
        """)

    // MARK: Domains

    static let domains = Document(
        "Domains",
        """
        query Domains($projectId: String!, $environmentId: String!, $serviceId: String!) {
          domains(projectId: $projectId, environmentId: $environmentId, serviceId: $serviceId) {
            serviceDomains { id domain deletedAt }
            customDomains {
              id
              domain
              deletedAt
              status {
                verified
                certificateStatus
                verificationDnsHost
                verificationToken
                dnsRecords { recordType hostlabel fqdn zone requiredValue status }
              }
            }
          }
        }
        """)

    static let serviceDomainCreate = Document(
        "ServiceDomainCreate",
        """
        mutation ServiceDomainCreate($input: ServiceDomainCreateInput!) {
          serviceDomainCreate(input: $input) { id domain deletedAt }
        }
        """)

    static let customDomainAvailable = Document(
        "CustomDomainAvailable",
        """
        query CustomDomainAvailable($domain: String!) {
          customDomainAvailable(domain: $domain) { available message }
        }
        """)

    static let customDomainCreate = Document(
        "CustomDomainCreate",
        """
        mutation CustomDomainCreate($input: CustomDomainCreateInput!) {
          customDomainCreate(input: $input) {
            id
            domain
            deletedAt
            status {
              verified
              certificateStatus
              verificationDnsHost
              verificationToken
              dnsRecords { recordType hostlabel fqdn zone requiredValue status }
            }
          }
        }
        """)

    static let customDomainDelete = Document(
        "CustomDomainDelete",
        """
        mutation CustomDomainDelete($id: String!) {
          customDomainDelete(id: $id)
        }
        """)

    // MARK: What a database needs

    // Deprecated for services that run: there it takes a redeployment to have an effect. Here the proxy is made before
    // the first deployment.
    static let tcpProxyCreate = Document(
        "TcpProxyCreate",
        """
        mutation TcpProxyCreate($input: TCPProxyCreateInput!) {
          tcpProxyCreate(input: $input) { id domain proxyPort applicationPort syncStatus deletedAt }
        }
        """)

    static let tcpProxies = Document(
        "TcpProxies",
        """
        query TcpProxies($environmentId: String!, $serviceId: String!) {
          tcpProxies(environmentId: $environmentId, serviceId: $serviceId) {
            id
            domain
            proxyPort
            applicationPort
            syncStatus
            deletedAt
          }
        }
        """)

    static let volumes = Document(
        "Volumes",
        """
        query Volumes($environmentId: String!, $projectId: String!) {
          environment(id: $environmentId, projectId: $projectId) {
            volumeInstances(first: 100) { edges { node { volumeId serviceId deletedAt } } }
          }
        }
        """)

    static let volumeCreate = Document(
        "VolumeCreate",
        """
        mutation VolumeCreate($input: VolumeCreateInput!) {
          volumeCreate(input: $input) { id }
        }
        """)

    static let volumeDelete = Document(
        "VolumeDelete",
        """
        mutation VolumeDelete($volumeId: String!) {
          volumeDelete(volumeId: $volumeId)
        }
        """)
}
