import Domain

extension GraphQLSchema {
    /// The published schema, as far as the sandbox serves it: `railway.graphql` says where it comes from.
    static let railway: GraphQLSchema = {
        do throws(GraphQLError) {
            var schema = try GraphQLSchema.parse(String(decoding: PackageResources.railway_graphql, as: UTF8.self))
            schema.scalarChecks["DateTime"] = { value in
                value.stringValue.flatMap(RailwayMoment.init) == nil
                    ? "DateTime cannot represent an invalid date-time-string." : nil
            }
            schema.scalarChecks["EnvironmentVariables"] = { value in
                value.objectValue == nil ? "EnvironmentVariables must be an object." : nil
            }
            return schema
        } catch {
            // It is built into the program and read by its tests.
            preconditionFailure("railway.graphql is broken: \(error.message)")
        }
    }()
}
