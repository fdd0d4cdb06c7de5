using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Merge.Sdk;

namespace Sdk.Tests;

/// <summary>The page of tensor operations, made of the surface and what its docstrings say.</summary>
internal static partial class OperationsPage
{
    private static readonly (Type Type, string Title)[] _parts =
    [
        (typeof(Block), "What an expression starts from: `Block`"),
        (typeof(TensorExpr), "Values: `TensorExpr`"),
        (typeof(TensorMask), "Masks: `TensorMask`"),
        (typeof(TensorScan), "Statistics of a tensor: `TensorScan`"),
        (typeof(ModelScan<>), "Statistics of the model: `ModelScan<TOptions>`"),
        (typeof(TensorMerge), "Results: `TensorMerge`"),
        (typeof(TensorInfo), "What is known of a tensor: `TensorInfo`"),
        (typeof(Cut), "What `Largest` gives: `Cut`"),
        (typeof(ValueRange), "What `Range` gives: `ValueRange`"),
        (typeof(Matrix), "Matrices: `Matrix`"),
        (typeof(ILinearAlgebra), "Linear algebra: `ILinearAlgebra`"),
        (typeof(Svd), "What `Svd` gives: `Svd`"),
        (typeof(Qr), "What `Qr` gives: `Qr`"),
        (typeof(SymmetricEigen), "What `SymmetricEigen` gives: `SymmetricEigen`"),
    ];

    public static string Text()
    {
        var docs = XDocument.Load(Path.ChangeExtension(typeof(Block).Assembly.Location, ".xml")).Descendants("member")
            .ToDictionary(m => m.Attribute("name")!.Value, m => m);
        var page = new StringBuilder("""
            # Tensor operations

            Made from the docstrings of `Merge.Sdk`; a test fails where the two differ. How the parts go together:
            [writing a plugin](writing-a-plugin.md).

            """);
        foreach (var (type, title) in _parts)
        {
            page.Append($"\n## {title}\n").Append(Summary(docs, "T:" + type.FullName)).Append("\n\n");
            foreach (var member in Members(type))
            {
                if (Summary(docs, member) is { Length: > 0 } summary)
                    page.Append($"- `{Signature(member)}`: {summary}\n");
            }
        }
        return page.ToString();
    }

    private static IEnumerable<MemberInfo> Members(Type type) => type
        .GetMembers(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly)
        .Where(m => m is PropertyInfo or MethodInfo { IsSpecialName: false, Name: not "Equals" } || m.Name.StartsWith("op_", StringComparison.Ordinal)
            || (m is ConstructorInfo && type == typeof(Matrix)))
        .OrderBy(m => m is MethodInfo)
        .ThenBy(m => m.MetadataToken)
        .Concat(type.BaseType == typeof(ModelScan) ? Members(typeof(ModelScan)) : []);

    private static string Signature(MemberInfo member) => member switch
    {
        PropertyInfo property when property.GetIndexParameters() is { Length: > 0 } index =>
            $"{property.DeclaringType!.Name}[{string.Join(", ", index.Select(p => p.Name))}]",
        PropertyInfo property => property.PropertyType == typeof(double[]) ? $"double[] {property.Name}" : property.Name,
        ConstructorInfo made => $"new {made.DeclaringType!.Name}({string.Join(", ", made.GetParameters().Select(p => p.Name))})",
        MethodInfo { Name: "op_Implicit" } cast => $"{Name(cast.GetParameters()[0].ParameterType)} → {Name(cast.ReturnType)}",
        MethodInfo { IsSpecialName: true } sign => sign.GetParameters() is [var one]
            ? $"{Sign(sign.Name)}{one.Name}"
            : $"{sign.GetParameters()[0].Name} {Sign(sign.Name)} {sign.GetParameters()[1].Name}",
        MethodInfo method => $"{method.Name}({string.Join(", ", method.GetParameters().Select(p => p.Name))})",
        _ => member.Name,
    };

    private static string Sign(string name) => name switch
    {
        "op_Addition" => "+",
        "op_Subtraction" or "op_UnaryNegation" => "-",
        "op_Multiply" => "*",
        "op_Division" => "/",
        "op_GreaterThan" => ">",
        "op_GreaterThanOrEqual" => ">=",
        "op_LessThan" => "<",
        "op_LessThanOrEqual" => "<=",
        "op_BitwiseAnd" => "&",
        "op_BitwiseOr" => "|",
        "op_ExclusiveOr" => "^",
        "op_LogicalNot" or "op_OnesComplement" => "!",
        _ => throw new NotSupportedException(name),
    };

    // The compiler's names of members: type, name, types of the parameters; generics by number.
    private static string IdOf(MemberInfo member)
    {
        var owner = member.DeclaringType!;
        var method = member as MethodBase;
        var name = $"{(method is null ? 'P' : 'M')}:{owner.FullName}.{member.Name.Replace('.', '#')}"
            + (method is { IsGenericMethod: true } ? $"``{method.GetGenericArguments().Length}" : "");
        var parameters = method?.GetParameters() ?? ((PropertyInfo)member).GetIndexParameters();
        if (parameters.Length > 0)
            name += $"({string.Join(',', parameters.Select(p => TypeId(p.ParameterType)))})";
        return name + (member is MethodInfo { Name: "op_Implicit" } cast ? $"~{TypeId(cast.ReturnType)}" : "");
    }

    private static string TypeId(Type type)
    {
        if (type.IsArray)
            return TypeId(type.GetElementType()!) + "[]";
        if (type.IsGenericParameter)
            return (type.DeclaringMethod is null ? "`" : "``") + type.GenericParameterPosition;
        if (!type.IsGenericType)
            return type.FullName!;
        var definition = type.GetGenericTypeDefinition().FullName!;
        return $"{definition[..definition.IndexOf('`')]}{{{string.Join(',', type.GetGenericArguments().Select(TypeId))}}}";
    }

    private static string Name(Type type) => type == typeof(float) ? "float" : type == typeof(double) ? "double" : type.Name;

    private static string Summary(Dictionary<string, XElement> docs, string id) =>
        docs.TryGetValue(id, out var member) && member.Element("summary") is { } summary ? Said(summary) : "";

    // The properties of a record are its constructor's parameters.
    private static string Summary(Dictionary<string, XElement> docs, MemberInfo member) =>
        Summary(docs, IdOf(member)) is { Length: > 0 } own ? own
        : member is PropertyInfo && docs["T:" + member.DeclaringType!.FullName].Elements("param")
            .FirstOrDefault(p => p.Attribute("name")!.Value == member.Name) is { } parameter ? Said(parameter)
        : "";

    private static string Said(XElement element)
    {
        var text = string.Concat(element.Nodes().Select(Text));
        return Spaces().Replace(text, " ").Trim();
    }

    private static string Text(XNode node) => node switch
    {
        XText text => text.Value,
        XElement { Name.LocalName: "c" } code => $"`{code.Value}`",
        XElement { Name.LocalName: "paramref" } name => $"`{name.Attribute("name")!.Value}`",
        XElement { Name.LocalName: "see" } see => $"`{Cref().Replace(see.Attribute("cref")!.Value, "")}`",
        XElement other => other.Value,
        _ => "",
    };

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();

    // M:Merge.Sdk.TensorExpr.KeptBy(Merge.Sdk.Cut) is TensorExpr.KeptBy.
    [GeneratedRegex(@"^\w:Merge\.Sdk\.|\(.*\)$|`+\d")]
    private static partial Regex Cref();
}
