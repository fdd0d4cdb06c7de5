using System.Reflection;
using System.Runtime.CompilerServices;

namespace Sdk.Tests;

/// <summary>What a plugin can see of the SDK: one line a type or member, in ordinal order.</summary>
internal static class PublicSurface
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance
        | BindingFlags.Static | BindingFlags.DeclaredOnly;

    public static IReadOnlyList<string> Of(Assembly assembly) =>
        [.. assembly.GetExportedTypes().SelectMany(Lines).Order(StringComparer.Ordinal)];

    /// <summary>The members a plugin can call, or override; without what the compiler writes into a record.</summary>
    public static IEnumerable<MemberInfo> Members(Type type) => type.GetMembers(Declared).Where(m => m switch
    {
        _ when m.IsDefined(typeof(CompilerGeneratedAttribute), false) => false,
        _ when type.IsSubclassOf(typeof(Delegate)) => m.Name == "Invoke",
        ConstructorInfo c => Seen(c),
        MethodInfo method => Seen(method) && (!method.IsSpecialName || method.Name.StartsWith("op_")),
        PropertyInfo p => p.GetAccessors(true).Any(Seen),
        FieldInfo f => (f.IsPublic || f.IsFamily) && !f.IsSpecialName,
        _ => false,
    });

    private static IEnumerable<string> Lines(Type type)
    {
        var kind = type.IsInterface ? "interface" : type.IsEnum ? "enum" : type.IsValueType ? "struct"
            : type.IsSubclassOf(typeof(Delegate)) ? "delegate" : "class";
        var modifiers = (type.IsClass, type.IsAbstract, type.IsSealed) switch
        {
            (true, true, true) => "static ",
            (true, true, false) => "abstract ",
            (_, _, true) => "sealed ",
            _ => "",
        };
        Type[] above = [.. type.BaseType is { } parent ? [parent] : Type.EmptyTypes, .. type.GetInterfaces()];
        var names = above.Where(t => t != typeof(object) && t != typeof(ValueType) && !type.IsEnum)
            .Select(Name).Order(StringComparer.Ordinal);
        yield return $"{Name(type)}: {modifiers}{kind}({string.Join(", ", names)}){Constraints(type)}";
        foreach (var member in Members(type))
            yield return $"{Name(type)}.{Describe(member)}";
    }

    private static string Describe(MemberInfo member) => member switch
    {
        ConstructorInfo c => $"{Access(c)}new({Parameters(c)})",
        MethodInfo m => $"{Access(m)}{m.Name}{Generics(m)}({Parameters(m)}): {Name(m.ReturnType)}",
        PropertyInfo p => $"{p.Name}{Index(p)}: {Name(p.PropertyType)} {{ {Accessors(p)} }}",
        FieldInfo { IsLiteral: true } f => $"{f.Name} = {f.GetRawConstantValue()}",
        FieldInfo f => $"{f.Name}: {Name(f.FieldType)}",
        _ => throw new NotSupportedException(member.ToString()),
    };

    private static bool Seen(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    private static string Access(MethodBase method) =>
        (method.IsPublic ? "" : "protected ") + (method.IsStatic ? "static " : "")
        + (method.IsAbstract ? "abstract " : method is { IsVirtual: true, IsFinal: false } ? "virtual " : "");

    private static string Accessors(PropertyInfo property) =>
        string.Join("; ", property.GetAccessors(true).Where(Seen).Select(Accessor));

    private static string Accessor(MethodInfo accessor)
    {
        var init = accessor.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit));
        return Access(accessor) + (accessor.ReturnType != typeof(void) ? "get" : init ? "init" : "set");
    }

    private static string Index(PropertyInfo property) =>
        property.GetIndexParameters() is { Length: > 0 } index ? $"[{string.Join(", ", index.Select(Parameter))}]" : "";

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(Parameter));

    private static string Parameter(ParameterInfo p) =>
        $"{Name(p.ParameterType)} {p.Name}" + (p.HasDefaultValue ? $" = {p.RawDefaultValue ?? "null"}" : "");

    private static string Generics(MethodInfo method) =>
        method.IsGenericMethod ? $"<{string.Join(", ", method.GetGenericArguments().Select(a => a.Name))}>" : "";

    private static string Constraints(Type type) =>
        string.Concat(type.GetGenericArguments().Where(a => a.IsGenericParameter).Select(Constraint));

    private static string Constraint(Type argument)
    {
        var types = string.Join(", ", argument.GetGenericParameterConstraints().Select(Name));
        return $" where {argument.Name}: {argument.GenericParameterAttributes} {types}".TrimEnd();
    }

    private static string Name(Type type)
    {
        if (type.IsGenericParameter)
            return type.Name;
        if (type.IsArray)
            return Name(type.GetElementType()!) + "[]";
        if (type.IsByRef)
            return "ref " + Name(type.GetElementType()!);
        var own = type.IsNested ? $"{Name(type.DeclaringType!)}+{type.Name}" : type.Name;
        if (own.IndexOf('`') is var mark && mark >= 0)
            own = type.IsNested ? own.Replace("`1", "") : own[..mark];
        return type.IsGenericType && !type.IsNested
            ? $"{own}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>"
            : own;
    }
}
